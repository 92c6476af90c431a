from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.artifact_stores.azure import AzureArtifactStore
from zennb.components.artifact_stores.fsspec import FsspecArtifactStore
from zennb.components.artifact_stores.gcs import GcsArtifactStore
from zennb.components.artifact_stores.remote.connection import connect, merged
from zennb.components.artifact_stores.s3 import S3ArtifactStore
from zennb.components.component import Visibility
from zennb.components.secret import Secret
from zennb.core.records.records import ComponentSpec
from zennb.errors import InvalidConfiguration, NotStorable
from zennb.registry.flavors import normal
from zennb.views.configuration import options

if TYPE_CHECKING:
    from pathlib import Path

    from zennb.components.artifact_stores.remote.remote_store import RemoteArtifactStore


@pytest.mark.parametrize(
    ("url", "visibility"),
    [
        ("s3://bucket/prefix", Visibility.NETWORK),
        ("sftp://host/folder", Visibility.NETWORK),
        ("file:///mnt/share", Visibility.MACHINE),
        ("local:///mnt/share", Visibility.MACHINE),
        ("memory://x", Visibility.PROCESS),
    ],
)
def test_a_url_says_from_where_the_store_can_be_reached(url: str, visibility: Visibility) -> None:
    store = FsspecArtifactStore.from_config("x", {"url": url})
    assert store.visibility is visibility
    if visibility is Visibility.PROCESS:
        with pytest.raises(NotStorable, match="reaches further"):
            pickle.dumps(store)
    else:
        assert pickle.loads(pickle.dumps(store)).visibility is visibility
    assert FsspecArtifactStore.visibility is Visibility.NETWORK  # that of another instance does not count


@pytest.mark.parametrize(
    ("flavor", "url", "problem"),
    [
        (FsspecArtifactStore, "/data/store", "no URL"),
        (FsspecArtifactStore, "s3://", "no bucket or folder"),
        (FsspecArtifactStore, "s3:///", "no bucket or folder"),
        (FsspecArtifactStore, "s3://bucket/x?versionId=1", "no URL"),
        (FsspecArtifactStore, "simplecache::s3://bucket/x", "no URL|chain"),
        (FsspecArtifactStore, "sftp://ada:hunter2@host/x", "names a user"),
        (S3ArtifactStore, "gs://bucket/x", "does not begin with s3:// or s3a://"),
        (GcsArtifactStore, "s3://bucket/x", "does not begin with gs:// or gcs://"),
        (AzureArtifactStore, "https://account.blob.core.windows.net/x", "does not begin with az://"),
    ],
)
def test_a_url_that_is_none_is_refused(flavor: type[RemoteArtifactStore], url: str, problem: str) -> None:
    with pytest.raises(InvalidConfiguration, match=problem):
        flavor.from_config("x", {"url": url})


def test_slashes_at_the_end_of_a_url_do_not_count() -> None:
    assert S3ArtifactStore.from_config("x", {"url": "s3://bucket/x//"}).url == "s3://bucket/x"


@pytest.mark.parametrize(
    "given",
    [
        {"secret": "8f2a71c0b7e94d55"},
        {"client_kwargs": {"aws_secret_access_key": "8f2a71c0b7e94d55"}},
        {"password": "hunter22"},
        {"note": "AKIAIOSFODNN7EXAMPLE"},
        {"anything": "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB"},
    ],
)
def test_a_secret_among_the_options_is_refused_and_not_repeated(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        FsspecArtifactStore.from_config("x", {"url": "s3://bucket/x", "storage_options": repr(given)})
    assert "env:NAME" in str(caught.value) or "secret" in str(caught.value)


def test_references_are_kept_shown_as_such_and_looked_up_at_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_SECRET", "8f2a71c0b7e94d55")
    config = {"url": "memory://x", "storage_options": "{'password': 'env:TEAM_SECRET', 'port': 22}"}
    store = FsspecArtifactStore.from_config("x", config)
    spec = normal(ComponentSpec(type="artifact_store", name="x", flavor="fsspec", config=config))
    for text in (repr(store), str(store.config_text()), str(spec), str(options(spec.config))):
        assert "8f2a71c0b7e94d55" not in text
    assert "env:TEAM_SECRET" in store.config_text()["storage_options"]


@pytest.mark.parametrize("flavor", [S3ArtifactStore, GcsArtifactStore, AzureArtifactStore])
def test_secret_options_are_references(flavor: type[RemoteArtifactStore]) -> None:
    secrets = [name for name, option in flavor.options().items() if option.secret]
    assert secrets
    url = f"{flavor.protocols[0]}://bucket/x"
    for name in secrets:
        with pytest.raises(InvalidConfiguration) as caught:
            flavor.from_config("x", {"url": url, name: "8f2a71c0b7e94d55"})
        assert "8f2a71c0b7e94d55" not in str(caught.value)
        store = flavor.from_config("x", {"url": url, name: "env:TEAM_SECRET"})
        assert Secret("env:TEAM_SECRET") in store.filesystem_options().values()
        assert b"env:TEAM_SECRET" in pickle.dumps(store)


def test_an_option_that_is_given_stands_beside_the_defaults() -> None:
    defaults = {"config_kwargs": {"read_timeout": 60, "retries": {"mode": "standard"}}, "max_concurrency": 4}
    given = {"config_kwargs": {"retries": {"mode": "legacy"}}, "anon": True}
    assert merged(defaults, given) == {
        "config_kwargs": {"read_timeout": 60, "retries": {"mode": "legacy"}},
        "max_concurrency": 4,
        "anon": True,
    }


@pytest.mark.s3
@pytest.mark.parametrize(
    ("library", "url", "given"),
    [
        ("s3fs", "s3://bucket/x", {"key": "k", "secret": "s"}),
        ("gcsfs", "gs://bucket/x", {"token": "anon", "project": "p"}),
        ("adlfs", "az://container/x", {"account_name": "a", "account_key": "a2V5"}),
    ],
)
def test_each_library_takes_our_options(library: str, url: str, given: dict[str, Any]) -> None:
    pytest.importorskip(library)
    files: Any = connect(url, given, connect_timeout=1.0, read_timeout=2.0)
    assert files._path("ab/abc").endswith("x/ab/abc")
    other: Any = connect(url, given, connect_timeout=1.0, read_timeout=2.0)
    assert files._filesystem is not other._filesystem  # never the one that the user's own code has


def test_what_a_failed_write_leaves_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec")
    from fsspec.implementations.local import LocalFileSystem

    store = FsspecArtifactStore.from_config(
        "x", {"url": f"file://{tmp_path}/store", "cache": str(tmp_path / "copies")}
    )

    def half(self: Any, source: str, target: str, **_: Any) -> None:
        with open(target, "wb") as file:  # noqa: PTH123 - as fsspec does it
            file.write(b"half")
            raise KeyboardInterrupt

    monkeypatch.setattr(LocalFileSystem, "put_file", half)
    with pytest.raises(KeyboardInterrupt):
        store.put([bytes(2 << 20)])
    monkeypatch.undo()
    assert list(store.digests()) == []
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []
    assert store.has(store.put([bytes(2 << 20)]))
