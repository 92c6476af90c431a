"""Owns the `fsspec` artifact store: any place that fsspec reaches by a URL."""

from __future__ import annotations

from typing import Any

from traitlets import Bool, observe

from zennb.components.artifact_stores.remote.connection import visibility_of
from zennb.components.artifact_stores.remote.remote_store import RemoteArtifactStore
from zennb.components.component import Visibility

__all__ = ["FsspecArtifactStore"]


class FsspecArtifactStore(RemoteArtifactStore):
    """Stores artifacts wherever fsspec has a file system for: sftp, smb, hdfs, and the object stores too."""

    flavor = "fsspec"
    description = "keeps artifacts wherever fsspec reaches: SFTP, SMB, HDFS, object stores"

    shared = Bool(
        False,
        help="Whether the folder of a file:// URL is the same one on all machines, as on NFS or Lustre.",
    ).tag(config=True)

    @observe("url", "shared")
    def _reach(self, _change: dict[str, Any]) -> None:
        own = visibility_of(self.url)
        vars(self)["visibility"] = Visibility.NETWORK if self.shared and own is Visibility.MACHINE else own
