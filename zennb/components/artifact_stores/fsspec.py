"""Owns the `fsspec` artifact store: any place that fsspec reaches by a URL."""

from __future__ import annotations

from zennb.components.artifact_stores.remote.remote_store import RemoteArtifactStore

__all__ = ["FsspecArtifactStore"]


class FsspecArtifactStore(RemoteArtifactStore):
    """Stores artifacts wherever fsspec has a file system for: sftp, smb, hdfs, and the object stores too."""

    flavor = "fsspec"
    description = "keeps artifacts wherever fsspec reaches: SFTP, SMB, HDFS, object stores"
