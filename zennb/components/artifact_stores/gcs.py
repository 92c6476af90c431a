"""Owns the `gcs` artifact store: objects in a bucket of Google Cloud Storage."""

from __future__ import annotations

from typing import Any

from traitlets import Unicode

from zennb.components.artifact_stores.remote.remote_store import RemoteArtifactStore
from zennb.components.secret import SecretRef

__all__ = ["GcsArtifactStore"]


class GcsArtifactStore(RemoteArtifactStore):
    """Stores artifacts in a bucket; without `token`, with the credentials that Google's tools find."""

    flavor = "gcs"
    description = "keeps artifacts in a bucket of Google Cloud Storage"
    protocols = ("gs", "gcs")
    credentials = "its option `key_file`, or `token`"

    project = Unicode(help="The project, if the credentials do not say it.").tag(config=True)
    key_file = Unicode(help="A file with the key of a service account.").tag(config=True)
    token = SecretRef(help="An access token, as a reference.").tag(config=True)
    endpoint = Unicode(help="Address of the service if it is not Google's.").tag(config=True)

    def filesystem_options(self) -> dict[str, Any]:
        """Return the options of gcsfs."""
        given = {
            "project": self.project,
            "token": self.token or self.key_file,
            "endpoint_url": self.endpoint,
        }
        return {name: value for name, value in given.items() if value}
