"""Owns the error messages of remote stores, made from what the libraries of object stores raise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from zennb.components.artifact_stores.remote.loop_calls import NoAnswerError
from zennb.core.secrets.names import DOTS
from zennb.core.secrets.texts import mask_text
from zennb.errors import MissingExtra, StoreBusy, StoreError, StoreReadOnly, ZennbError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["has_no_bucket", "is_conflict", "is_empty", "is_unsupported", "remote_reason"]

_SIGNATURE = re.compile(r"([?&](?:sig|signature|X-Amz-Signature|X-Goog-Signature)=)[^&\s\"']+", re.IGNORECASE)
"""In an address that somebody has signed: whoever has it may use it."""

_CONFLICTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_UNSUPPORTED = frozenset({"NotImplemented", "501"})
_NO_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound", "InvalidBucketName"})
_REFUSED = frozenset(
    {
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "InvalidToken",
        "401",
        "AuthenticationFailed",
    }
    | {"AuthorizationHeaderMalformed", "TokenRefreshRequired"}
)
_BARRED = frozenset(
    {"AccessDenied", "AllAccessDisabled", "403", "AuthorizationPermissionMismatch", "Forbidden"}
)
_NO_CREDENTIALS = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError", "CredentialUnavailableError"}
    | {"ProfileNotFound", "ClientAuthenticationError", "TokenRetrievalError", "SSOTokenLoadError"}
)
_UNREACHABLE = frozenset(
    {
        "EndpointConnectionError",
        "ConnectTimeoutError",
        "ClientConnectorError",
        "ConnectionClosedError",
        "gaierror",
    }
    | {"ServiceRequestError", "ClientConnectorDNSError", "ServerDisconnectedError", "ProxyConnectionError"}
    | {"ConnectionRefusedError", "ConnectionResetError", "SSLError", "ClientConnectorCertificateError"}
)
_SLOW = frozenset(
    {"ReadTimeoutError", "FSTimeoutError", "ServerTimeoutError", "TimeoutError", "SocketTimeoutError"}
)


def has_no_bucket(error: BaseException) -> bool:
    """Whether not only an object is missing, but the whole bucket."""
    return bool(_codes(error) & _NO_BUCKET)


def is_conflict(error: BaseException) -> bool:
    """Whether an object could not be created because there is one of its name, or another writer just then."""
    return isinstance(error, FileExistsError) or bool(_codes(error) & _CONFLICTS)


def is_empty(error: BaseException) -> bool:
    """Whether the beginning of an object was asked for that has no bytes at all."""
    return bool(_codes(error) & {"InvalidRange", "416"})


def is_unsupported(error: BaseException) -> bool:
    """Whether the server does not know requests with a condition."""
    return bool(_codes(error) & _UNSUPPORTED)


def remote_reason(error: Exception, *, name: str, url: str, options: str, writes: bool = False) -> ZennbError:
    """Return the error of ours for what a library raised.

    Args:
        error: what was raised; its causes are examined too.
        name: the store.
        url: where it keeps its blobs.
        options: names of the options that give its credentials.
        writes: whether something was to be stored or deleted.
    """
    if isinstance(error, ZennbError):
        return error
    codes, kinds = _codes(error), {type(link).__name__ for link in _chain(error)}
    # Last in each message: a status line shows the first sentence.
    about, said = f"The artifact store '{name}'", f"Its library says: {_first_line(error)}."
    if isinstance(error, ImportError):
        return MissingExtra(f"{about} needs a library for {url}: {_first_line(error)}")
    if isinstance(error, NoAnswerError):
        return StoreBusy(
            f"{about} gives no answer: {error} from {url}. Nothing half-written is kept there. Check the network, or "
            "wait longer with its options `connect_timeout` and `read_timeout`."
        )
    if has_no_bucket(error) or (writes and isinstance(error, FileNotFoundError)):
        return StoreError(
            f"{about} has no bucket: {url} does not exist. Create the bucket, or correct the name: "
            f"%artifact-store update {name} --url=URL"
        )
    if kinds & _NO_CREDENTIALS:
        return StoreError(
            f"{about} has no credentials for {url}. Sign in as its library expects it, or set {options}. {said}"
        )
    if codes & _REFUSED:
        return StoreError(
            f"{about} cannot sign in to {url}: it does not accept the credentials. Renew them, or set {options}. {said}"
        )
    if codes & _BARRED or isinstance(error, PermissionError) or _first_line(error).startswith("Forbidden"):
        return _barred(about, url, said, writes=writes)
    if kinds & _UNREACHABLE:
        return StoreError(
            f"{about} cannot reach {url}. Check the network and the address, then run again. {said}"
        )
    if kinds & _SLOW:
        return StoreBusy(
            f"{about} gives no answer: {url} took longer than its option `read_timeout` allows. Run again, or "
            "set the option higher."
        )
    return StoreError(f"{about} failed at {url}. What was stored before is safe. {said}")


def _barred(about: str, url: str, said: str, *, writes: bool) -> StoreError:
    if writes:
        return StoreReadOnly(
            f"{about} may not be written to: {url} refuses it. Nothing was stored or deleted. Ask its owner for the "
            f"right to write, or use another store. {said}",
            what="the artifact store",
        )
    return StoreError(
        f"{about} may not be read: {url} refuses it. Check the credentials, and that they may read and list the "
        f"bucket: without the right to list, an object that does not exist is refused as well. {said}"
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    for _ in range(10):
        if link is None:
            return
        yield link
        link = link.__cause__ or link.__context__


def _codes(error: BaseException) -> set[str]:
    """Return the codes in an error: of botocore, of gcsfs and aiohttp, and of Azure."""
    found: set[str] = set()
    for link in _chain(error):
        response = getattr(link, "response", None)
        if isinstance(response, dict):
            found.add(str(response.get("Error", {}).get("Code", "")))
        found.update(
            str(value)
            for value in (
                getattr(link, each, None) for each in ("code", "status", "status_code", "error_code")
            )
            if isinstance(value, (str, int))
        )
    return found


def _first_line(error: BaseException) -> str:
    text = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
    return _SIGNATURE.sub(rf"\g<1>{DOTS}", mask_text(text[:300]))
