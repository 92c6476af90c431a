"""Owns the contract of artifact stores, as tests: inherit `ArtifactStoreContract` and define its fixtures."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from zennb.components.component import ArtifactStore, Visibility
from zennb.errors import MissingArtifact, StoreError
from zennb.testing.component import ComponentContract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ArtifactStoreContract"]

SMALL = b"a small value"
LARGE = os.urandom(1 << 20) * 3 + b"tail"


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class ArtifactStoreContract(ComponentContract):
    """The contract of every artifact store.

    Fixtures to define:
        store: a new, empty store. Close it afterwards.
        reopen: only for stores that other processes can reach: a function that returns another instance with the same
            content, as another kernel would open it. Overriding it enables the tests of sharing.
    """

    @pytest.fixture
    def store(self) -> Iterator[ArtifactStore]:
        """Yield an empty store."""
        pytest.fail("Give a fixture `store` that yields an empty store.")

    @pytest.fixture
    def reopen(self, store: ArtifactStore) -> Callable[[], ArtifactStore]:
        """Return a function that returns a store with the same content; by default the same one."""
        if store.visibility > Visibility.PROCESS:
            pytest.fail("A store that reaches beyond the process needs the fixture `reopen`.")
        return lambda: store

    @pytest.fixture
    def component(self, store: ArtifactStore) -> ArtifactStore:
        """Apply the tests of every component to the store."""
        return store

    # Round trips

    def test_put_returns_the_sha256_of_the_content(self, store: ArtifactStore) -> None:
        assert store.put([SMALL]) == _sha(SMALL)

    def test_large_content_is_named_by_its_sha256_too(self, store: ArtifactStore) -> None:
        assert store.put([LARGE]) == _sha(LARGE)

    @pytest.mark.parametrize("size", [0, 1, 1000, 32767, 32768, 32769, 1 << 20, (4 << 20) + 1])
    def test_content_of_any_size_comes_back_exactly(self, store: ArtifactStore, size: int) -> None:
        content = os.urandom(size)
        assert bytes(store.get(store.put([content]))) == content

    def test_chunks_are_joined_in_order(self, store: ArtifactStore) -> None:
        digest = store.put([b"one ", b"two ", b"three"])
        assert bytes(store.get(digest)) == b"one two three"

    def test_how_content_is_cut_into_chunks_does_not_matter(self, store: ArtifactStore) -> None:
        half = len(LARGE) // 2
        assert store.put([LARGE[:half], LARGE[half:]]) == store.put([LARGE])

    def test_no_chunks_and_an_empty_chunk_are_the_same_empty_content(self, store: ArtifactStore) -> None:
        assert store.put([]) == store.put([b""]) == _sha(b"")
        assert bytes(store.get(_sha(b""))) == b""

    def test_many_small_chunks_of_large_content_are_joined(self, store: ArtifactStore) -> None:
        chunks = [bytes([number % 251]) * 97 for number in range(2000)]
        assert bytes(store.get(store.put(chunks))) == b"".join(chunks)

    def test_bytearrays_and_memoryviews_are_taken(self, store: ArtifactStore) -> None:
        digest = store.put([bytearray(b"ab"), memoryview(b"cd"), memoryview(bytearray(b"ef"))])
        assert bytes(store.get(digest)) == b"abcdef"

    def test_views_of_other_formats_and_shapes_are_taken_as_their_bytes(self, store: ArtifactStore) -> None:
        numbers: Any = memoryview(bytes(range(64))).cast("d", (2, 4))
        assert bytes(store.get(store.put([numbers]))) == bytes(range(64))

    def test_all_byte_values_survive(self, store: ArtifactStore) -> None:
        content = bytes(range(256)) * 3
        assert bytes(store.get(store.put([content]))) == content

    def test_content_that_looks_like_a_pickle_stays_bytes(self, store: ArtifactStore) -> None:
        content = pickle.dumps({"not": "loaded"})
        assert bytes(store.get(store.put([content]))) == content

    # Storing twice, and several at once

    @pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
    def test_storing_the_same_again_changes_nothing(self, store: ArtifactStore, content: bytes) -> None:
        assert store.put([content]) == store.put([content])
        assert list(store.digests()) == [_sha(content)]
        assert bytes(store.get(_sha(content))) == content

    def test_put_all_returns_names_in_order(self, store: ArtifactStore) -> None:
        contents = [b"one", LARGE, b"", b"two", b"one"]
        assert store.put_all([[content] for content in contents]) == [_sha(content) for content in contents]

    def test_put_all_makes_everything_readable(self, store: ArtifactStore) -> None:
        contents = [b"one", LARGE, b"two"]
        for digest, content in zip(store.put_all([[content] for content in contents]), contents, strict=True):
            assert bytes(store.get(digest)) == content

    def test_many_are_looked_for_at_once(self, store: ArtifactStore) -> None:
        kept = store.put_all([[SMALL], [LARGE]])
        assert store.present([*kept, _sha(b"never put"), "no name"]) == frozenset(kept)

    def test_put_all_of_nothing_returns_nothing(self, store: ArtifactStore) -> None:
        assert store.put_all([]) == []

    # Private copies

    @pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
    def test_changing_the_buffer_after_put_changes_nothing_stored(
        self, store: ArtifactStore, content: bytes
    ) -> None:
        buffer = bytearray(content)
        digest = store.put([buffer])
        buffer[0] ^= 255
        assert bytes(store.get(digest)) == content

    @pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
    def test_writing_to_what_get_returned_never_reaches_the_store(
        self, store: ArtifactStore, content: bytes
    ) -> None:
        digest = store.put([content])
        view = memoryview(store.get(digest))
        if not view.readonly:
            view[0] ^= 255
        assert bytes(store.get(digest)) == content
        assert store.verify() == []

    def test_two_readers_do_not_see_each_others_writes(self, store: ArtifactStore) -> None:
        digest = store.put([LARGE])
        first, second = memoryview(store.get(digest)), memoryview(store.get(digest))
        if not first.readonly:
            first[0] ^= 255
        assert bytes(second) == LARGE

    @pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
    def test_what_was_read_stays_readable_after_a_delete(self, store: ArtifactStore, content: bytes) -> None:
        view = store.get(store.put([content]))
        store.delete(_sha(content))
        assert bytes(view) == content

    def test_what_was_read_stays_readable_after_close(self, store: ArtifactStore) -> None:
        view = store.get(store.put([LARGE]))
        store.close()
        assert bytes(view) == LARGE

    # Present and missing content

    @pytest.mark.parametrize("content", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
    def test_has_and_size_know_what_is_stored(self, store: ArtifactStore, content: bytes) -> None:
        assert not store.has(_sha(content))
        digest = store.put([content])
        assert store.has(digest)
        assert store.size(digest) == len(content)

    def test_a_missing_name_is_a_missing_artifact(self, store: ArtifactStore) -> None:
        with pytest.raises(MissingArtifact) as caught:
            store.get(_sha(b"never stored"))
        assert caught.value.digest == _sha(b"never stored")
        assert isinstance(caught.value, KeyError)

    def test_the_size_of_a_missing_name_is_a_missing_artifact(self, store: ArtifactStore) -> None:
        with pytest.raises(MissingArtifact):
            store.size(_sha(b"never stored"))

    @pytest.mark.parametrize(
        "name", ["", "x", "../../etc/passwd", _sha(SMALL).upper(), _sha(SMALL)[:-1], _sha(SMALL) + "\n"]
    )
    def test_a_name_that_is_no_digest_is_never_looked_up(self, store: ArtifactStore, name: str) -> None:
        store.put([SMALL])
        assert not store.has(name)
        assert store.delete(name) is False
        with pytest.raises(MissingArtifact):
            store.get(name)

    @pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
    def test_delete_removes_and_says_whether_there_was_anything(
        self, store: ArtifactStore, content: bytes
    ) -> None:
        digest = store.put([content])
        assert store.delete(digest) is True
        assert not store.has(digest)
        assert store.delete(digest) is False
        with pytest.raises(MissingArtifact):
            store.get(digest)

    def test_delete_leaves_everything_else(self, store: ArtifactStore) -> None:
        kept, gone = store.put_all([[LARGE], [SMALL]])
        store.delete(gone)
        assert list(store.digests()) == [kept]
        assert bytes(store.get(kept)) == LARGE

    @pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
    def test_what_was_deleted_can_be_stored_again(self, store: ArtifactStore, content: bytes) -> None:
        store.delete(store.put([content]))
        assert bytes(store.get(store.put([content]))) == content

    def test_digests_names_everything_once(self, store: ArtifactStore) -> None:
        assert list(store.digests()) == []
        stored = store.put_all([[b"%d" % number] for number in range(300)] + [[LARGE]])
        assert sorted(store.digests()) == sorted(stored)

    def test_digests_can_be_walked_while_deleting(self, store: ArtifactStore) -> None:
        store.put_all([[b"%d" % number] for number in range(20)])
        for digest in store.digests():
            store.delete(digest)
        assert list(store.digests()) == []

    def test_verify_of_sound_content_finds_nothing(self, store: ArtifactStore) -> None:
        store.put_all([[SMALL], [LARGE], [b""]])
        assert store.verify() == []

    # Space. A store without `free` refuses; the others keep what is young, and delete nothing else.

    def test_everything_stored_is_listed_with_its_size(self, store: ArtifactStore) -> None:
        small, large = store.put_all([[SMALL], [LARGE]])
        assert {each.digest: each.size for each in store.stored()} == {small: len(SMALL), large: len(LARGE)}

    @pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
    def test_freeing_deletes_what_was_stored_before_a_time(
        self, store: ArtifactStore, content: bytes
    ) -> None:
        _skip_unless_it_frees(store)
        kept, gone = store.put([b"kept"]), store.put([content])
        assert store.free([gone, _sha(b"never stored"), "no name"], before=time.time() + 60) == {gone}
        assert list(store.digests()) == [kept]
        assert [each.digest for each in store.stored()] == [kept]
        assert store.free([gone], before=time.time() + 60) == frozenset()
        assert bytes(store.get(store.put([content]))) == content

    @pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
    def test_freeing_keeps_what_was_stored_since(self, store: ArtifactStore, content: bytes) -> None:
        _skip_unless_it_frees(store)
        digest = store.put([content])
        assert store.free([digest], before=time.time() - 60) == frozenset()
        assert bytes(store.get(digest)) == content

    def test_what_was_read_stays_readable_after_freeing(self, store: ArtifactStore) -> None:
        _skip_unless_it_frees(store)
        view = store.get(store.put([LARGE]))
        store.free([_sha(LARGE)], before=time.time() + 60)
        assert bytes(view) == LARGE

    def test_touching_says_whether_it_is_there(self, store: ArtifactStore) -> None:
        digest = store.put([SMALL])
        assert store.touch(digest)
        assert not store.touch(_sha(b"never stored"))
        store.delete(digest)
        assert not store.touch(digest)

    # Threads, other instances, other processes

    def test_many_threads_may_put_and_get_at_once(self, store: ArtifactStore) -> None:
        contents = [os.urandom(20 + number) * (1 + 2000 * (number % 3 == 0)) for number in range(24)] * 2
        with ThreadPoolExecutor(6) as pool:
            digests = list(pool.map(lambda content: store.put([content]), contents))
            found = list(pool.map(lambda digest: bytes(store.get(digest)), digests))
        assert found == contents

    def test_the_same_content_from_many_threads_is_stored_once(self, store: ArtifactStore) -> None:
        with ThreadPoolExecutor(6) as pool:
            assert set(pool.map(lambda _: store.put([LARGE]), range(6))) == {_sha(LARGE)}
        assert list(store.digests()) == [_sha(LARGE)]
        assert store.verify() == []

    def test_a_closed_store_opens_again_when_used(self, store: ArtifactStore) -> None:
        digest = store.put([SMALL])
        store.close()
        store.close()
        assert bytes(store.get(digest)) == SMALL

    @pytest.mark.parametrize("content", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
    def test_another_instance_sees_what_was_stored(
        self, store: ArtifactStore, reopen: Callable[[], ArtifactStore], content: bytes
    ) -> None:
        digest = store.put([content])
        other = reopen()
        assert other.has(digest)
        assert bytes(other.get(digest)) == content
        assert list(other.digests()) == [digest]

    def test_a_delete_is_seen_by_another_instance(
        self, store: ArtifactStore, reopen: Callable[[], ArtifactStore]
    ) -> None:
        digests = store.put_all([[SMALL], [LARGE]])
        other = reopen()
        assert all(other.has(digest) for digest in digests)
        for digest in digests:
            store.delete(digest)
        assert not any(other.has(digest) for digest in digests)

    def test_another_process_sees_what_was_stored(self, store: ArtifactStore) -> None:
        if store.visibility is Visibility.PROCESS:
            with pytest.raises(TypeError):  # it must refuse to be pickled, rather than arrive empty
                pickle.dumps(store)
            return
        digests = store.put_all([[SMALL], [LARGE]])
        assert _elsewhere(store, digests) == [str(len(SMALL)), str(len(LARGE))]


def _skip_unless_it_frees(store: ArtifactStore) -> None:
    """Skip the test for a store that cannot free space, once it has said so in a sentence."""
    if type(store).free is ArtifactStore.free:
        with pytest.raises(StoreError, match="cannot free space"):
            store.free([], before=0.0)
        pytest.skip("this store cannot free space, and says so")


def _elsewhere(store: ArtifactStore, digests: list[str]) -> list[str]:
    """Read `digests` in a new process from the pickled store; return their sizes."""
    code = (
        "import pickle, sys\n"
        "store, digests = pickle.loads(sys.stdin.buffer.read())\n"
        "print(*[len(store.get(digest)) for digest in digests])\n"
        "store.close()\n"
    )
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps((store, digests)),
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
        env=environment,
    )
    return done.stdout.decode().split()
