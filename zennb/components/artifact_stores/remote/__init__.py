"""Parts of the artifact stores that keep their blobs in a file system of fsspec."""
