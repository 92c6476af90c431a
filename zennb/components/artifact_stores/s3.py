"""Owns the `s3` artifact store: objects in a bucket of Amazon S3, or of a service with the same API."""

from __future__ import annotations

from typing import Any

from traitlets import Unicode

from zennb.components.artifact_stores.remote.remote_store import RemoteArtifactStore
from zennb.components.secret import SecretRef

__all__ = ["S3ArtifactStore"]


class S3ArtifactStore(RemoteArtifactStore):
    """Stores artifacts in a bucket; without `key` and `secret`, with the credentials that AWS tools find."""

    flavor = "s3"
    description = "keeps artifacts in a bucket of S3, or of MinIO, R2, Ceph and others with its API"
    protocols = ("s3", "s3a")
    credentials = "its options `key` and `secret`, or `profile`"

    endpoint = Unicode(help="Address of the service if it is not Amazon's: https://minio.example.org.").tag(
        config=True
    )
    region = Unicode(help="The bucket's region, if the environment does not say it.").tag(config=True)
    profile = Unicode(help="A profile of ~/.aws/config.").tag(config=True)
    key = SecretRef(help="The access key ID, as a reference.").tag(config=True)
    secret = SecretRef(help="The secret access key, as a reference.").tag(config=True)
    token = SecretRef(help="The session token of temporary credentials, as a reference.").tag(config=True)

    def filesystem_options(self) -> dict[str, Any]:
        """Return the options of s3fs."""
        given = {
            "endpoint_url": self.endpoint,
            "profile": self.profile,
            "key": self.key,
            "secret": self.secret,
            "token": self.token,
            "client_kwargs": {"region_name": self.region} if self.region else {},
        }
        return {name: value for name, value in given.items() if value}
