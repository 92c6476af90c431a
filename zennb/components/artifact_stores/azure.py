"""Owns the `azure` artifact store: blobs in a container of Azure Blob Storage."""

from __future__ import annotations

from typing import Any

from traitlets import Unicode

from zennb.components.artifact_stores.remote.remote_store import RemoteArtifactStore
from zennb.components.secret import SecretRef

__all__ = ["AzureArtifactStore"]


class AzureArtifactStore(RemoteArtifactStore):
    """Stores artifacts in a container; without a key, with the credentials that Azure's tools find."""

    flavor = "azure"
    description = "keeps artifacts in a container of Azure Blob Storage"
    protocols = ("az", "abfs", "abfss")
    credentials = "its options `account` and `account_key`, `sas_token` or `connection_string`"

    account = Unicode(help="The storage account.").tag(config=True)
    account_key = SecretRef(help="The account's key, as a reference.").tag(config=True)
    sas_token = SecretRef(help="A shared access signature, as a reference.").tag(config=True)
    connection_string = SecretRef(help="A connection string, as a reference.").tag(config=True)

    def filesystem_options(self) -> dict[str, Any]:
        """Return the options of adlfs."""
        given = {
            "account_name": self.account,
            "account_key": self.account_key,
            "sas_token": self.sas_token,
            "connection_string": self.connection_string,
        }
        found: dict[str, Any] = {name: value for name, value in given.items() if value}
        # Without any key adlfs would go in anonymously.
        keys = {"account_key", "sas_token", "connection_string"}
        return found if keys & found.keys() else {**found, "anon": False}
