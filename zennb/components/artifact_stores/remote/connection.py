"""Owns opening the file system behind a URL: bounded timeouts, no caches of fsspec, and secrets looked up just then."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from zennb.components.artifact_stores.remote.bucket import Bucket
from zennb.components.artifact_stores.remote.shared_folder import SharedFolder
from zennb.components.component import Visibility
from zennb.components.secret import Secret
from zennb.core.secrets.names import REFERENCE, is_secret
from zennb.core.secrets.texts import has_token
from zennb.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable

    from zennb.components.artifact_stores.remote.remote_files import RemoteFiles

__all__ = ["check_options", "check_url", "connect", "merged", "visibility_of"]

PART = 32 << 20
"""Bytes of a part of an upload or download. With smaller ones, the time goes into requests."""

_PARTS = 4
"""Parts under way at once; so many are in memory."""

_URL = re.compile(r"(?P<protocol>[a-z][a-z0-9+.-]*)://(?P<path>[^?#]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _ObjectStore:
    """What is particular to one kind of object store.

    Attributes:
        library: the module that fsspec needs for it.
        extra: our extra that installs it.
        defaults: connect and read timeout → options of its file system.
        upload_options: options of its `put_file`.
    """

    library: str
    extra: str
    defaults: Callable[[float, float], dict[str, Any]]
    upload_options: Mapping[str, Any]


def _s3(connect_timeout: float, read_timeout: float) -> dict[str, Any]:
    return {
        "default_block_size": PART,
        "max_concurrency": _PARTS,
        "config_kwargs": {
            "connect_timeout": connect_timeout,
            "read_timeout": read_timeout,
            # s3fs tries again as well; both together would try 25 times.
            "retries": {"mode": "standard", "total_max_attempts": 2},
        },
    }


def _gcs(connect_timeout: float, read_timeout: float) -> dict[str, Any]:
    from aiohttp import ClientTimeout

    timeout = ClientTimeout(total=None, connect=connect_timeout, sock_read=read_timeout)
    return {"requests_timeout": timeout, "block_size": PART}


def _azure(connect_timeout: float, read_timeout: float) -> dict[str, Any]:
    return {
        "connection_timeout": connect_timeout,
        "read_timeout": read_timeout,
        "blocksize": PART,
        "max_concurrency": _PARTS,
    }


_S3 = _ObjectStore(library="s3fs", extra="s3", defaults=_s3, upload_options={"chunksize": PART})
_GCS = _ObjectStore(library="gcsfs", extra="gcs", defaults=_gcs, upload_options={"chunksize": PART})
_AZURE = _ObjectStore(library="adlfs", extra="azure", defaults=_azure, upload_options={})
_OBJECT_STORES = {
    "s3": _S3,
    "s3a": _S3,
    "gs": _GCS,
    "gcs": _GCS,
    "az": _AZURE,
    "abfs": _AZURE,
    "abfss": _AZURE,
}


def connect(
    url: str, options: Mapping[str, Any], *, connect_timeout: float, read_timeout: float
) -> RemoteFiles:
    """Return the files below a URL; the first request comes with their first use.

    Args:
        url: `s3://bucket/prefix`.
        options: of the file system; references to secrets in it are looked up.
        connect_timeout: seconds until a connection must stand.
        read_timeout: seconds until a server must answer.

    Raises:
        MissingExtra: a library is not installed.
        InvalidConfiguration: a secret cannot be looked up.
    """
    from fsspec.core import url_to_fs

    kind = _OBJECT_STORES.get(_protocol(url))
    if kind is not None and find_spec(kind.library) is None:
        raise MissingExtra(
            f'{url} needs the library `{kind.library}`, which is not installed: pip install "zennb[{kind.extra}]"'
        )
    given = _revealed(options)
    defaults = kind.defaults(connect_timeout, read_timeout) if kind is not None else {}
    # An instance of our own: those that fsspec caches are shared with the user's code, and with their caches of
    # listings, in which an object that somebody else has written is missing.
    filesystem, root = url_to_fs(
        url, **merged(defaults, given), skip_instance_cache=True, use_listings_cache=False
    )
    if kind is None:
        return SharedFolder(filesystem, root.rstrip("/"), label=url)
    if kind is _S3:
        filesystem.retries = 3  # its own attempts, each of which is two of the library below it
    return Bucket(
        filesystem,
        root.rstrip("/"),
        label=url,
        patience=connect_timeout + read_timeout,
        upload_options=kind.upload_options,
    )


def merged(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with those that are given in place of the defaults, also inside of mappings."""
    found = dict(defaults)
    for key, value in given.items():
        known = found.get(key)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            found[key] = merged(known, value)
        else:
            found[key] = value
    return found


def visibility_of(url: str) -> Visibility:
    """Return from where the files below a URL can be reached."""
    if _protocol(url) == "memory":
        return Visibility.PROCESS
    return Visibility.MACHINE if _protocol(url) in {"file", "local"} else Visibility.NETWORK


def check_url(url: str, *, protocols: tuple[str, ...] = ()) -> str:
    """Return a URL without slashes at its end.

    Args:
        url: as typed.
        protocols: those that are allowed; any when empty.

    Raises:
        ValueError: it is none that a store can use; the message does not repeat a password in it.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("it is no URL such as s3://bucket/prefix, without `?` and `#`")
    if "::" in url:
        raise ValueError("it is a chain of URLs; name only the place itself")
    if "@" in found["path"].split("/")[0]:
        raise ValueError("it names a user; give user and password as references in `storage_options`")
    if protocols and found["protocol"] not in protocols:
        raise ValueError(f"it does not begin with {' or '.join(f'{each}://' for each in protocols)}")
    if not found["path"].strip("/"):
        raise ValueError("it names no bucket or folder")
    return url.rstrip("/")


def check_options(options: Mapping[str, Any], *, inside: str = "") -> None:
    """Refuse options that are no text, or hold a secret: options are recorded as they are typed.

    Raises:
        ValueError: one is; the message does not repeat its value.
    """
    for key, value in options.items():
        if not isinstance(key, str):
            raise ValueError(f"`{key!r}` is not the name of an option")  # noqa: TRY004 - traitlets takes this one
        if isinstance(value, Mapping):
            check_options(value, inside=f"{inside}{key}.")
        elif not _is_reference(value) and (is_secret(key, value) or has_token(str(value))):
            raise ValueError(
                f"`{inside}{key}` holds a secret; give a reference to it: `secret:NAME`, `env:NAME` or "
                "`keyring:SERVICE/NAME`"
            )


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and REFERENCE.fullmatch(value) is not None


def _revealed(value: Any) -> Any:
    """Return options with the secrets that references in them stand for."""
    if isinstance(value, Mapping):
        return {key: _revealed(each) for key, each in value.items()}
    if isinstance(value, Secret):
        return value.reveal()
    return Secret(value).reveal() if _is_reference(value) else value


def _protocol(url: str) -> str:
    return url.partition("://")[0]
