"""Owns `DigestWalker`: it visits everything inside a value, without recursion, and writes it to the stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from zennb.compat.instances import qualified_name
from zennb.digests.homes import name_at_home
from zennb.digests.labels import ELEMENT, HIDDEN, STATE, Label, shown_path
from zennb.digests.memory import BUFFERS, memory_parts
from zennb.digests.stream import MANY, SCALARS, Stream, scalar
from zennb.digests.stretches import Stretch, stretches
from zennb.errors import CannotDigest
from zennb.packages.origin import Origin, module_of, origin, top_level

__all__ = [
    "ELEMENT",
    "HIDDEN",
    "SCALARS",
    "STATE",
    "DigestResult",
    "DigestWalker",
    "Handler",
    "Label",
    "Steps",
    "scalar",
]

Steps: TypeAlias = Iterator[tuple[Any, Label]]
"""Parts still to be visited, each with its label."""

Handler: TypeAlias = Callable[["DigestWalker", Any], "Steps | None"]
"""Writes a value, and returns its parts, if any. Code between two `yield`s runs after the first part is written."""

_tags: dict[str, bytes] = {}

PATIENCE = 1_000_000
"""Visits allowed to find the order of set members, before the set is refused as too entangled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestResult:
    """The result of visiting one value.

    Attributes:
        digest: of its content.
        code: functions, classes and modules of the user that were met, by id.
        packages: import names of packages whose types were met.
        mutable: ids of mutable objects that outlive the visit.
        memory: the memory that its parts stand on.
        places: id of every mutable thing met → its number, in the order of meeting.
        files: the files that are open in it, whose content is part of the digest.
        collected: as in `ValueDigest`.
    """

    digest: bytes
    code: Mapping[int, Any]
    packages: frozenset[str]
    mutable: frozenset[int]
    memory: tuple[Stretch, ...]
    places: Mapping[int, int]
    files: frozenset[str] = frozenset()
    collected: bool = False


class DigestWalker:
    """One visit of one value.

    Attributes:
        sink: the stream that bytes are written to at the moment.
        code, packages: as in `DigestResult`.
        owners: ids of objects whose memory parts of the value are views of; and of closure variables, which are also
            there as negative numbers.
        memory: the memory that parts of the value stand on.
        lenders: the arrays that this memory belongs to, by id.
        files: the files that are open in the value, absolute.
        in_columns: how many columns of tables are being visited just now: tables note their memory themselves.
        shell: a class whose own functions are written by name only (`digest_class_shell`).
        in_labels: how many tables' labels are being visited just now: what they consist of does not count as
            mutable, since tables share their labels freely, and labels are not modified in place.
        hooked: how deeply values with a registered digest function (`zennb.digest`) are nested at the moment.
        opened: ids of the values passed to such functions, and of everything inside them.
        handlers: class → its handler, of all that was met.
        facts: class → what is known of its instances' recipes (`digests.objects`).
        makers: what functions of recipes do beyond making an object (`effects_of_recipe`).
        apart: the results of what was visited apart, by id.
        unowned: ids of dictionaries that views show and that are the attributes of nothing.
        globals: objects that libraries know by name, by id: what several variables have of these is not theirs.
        clear: id of what was found to hold no callbacks (`lost_callback`) → down to which level, and the thing itself.
    """

    def __init__(
        self,
        find: Callable[[type], Handler],
        *,
        shell: type | None = None,
        visit: Callable[[Any, str], DigestResult] | None = None,
    ) -> None:
        self.sink = Stream()
        self.code: dict[int, Any] = {}
        self.packages: set[str] = set()
        self.owners: set[int] = set()
        self.memory: list[Stretch] = []
        self.lenders: dict[int, Any] = {}
        self.files: set[str] = set()
        self.in_columns = 0
        self.shell = shell
        self.in_labels = 0
        self.hooked = 0
        self.opened: set[int] = set()
        self.mutables: dict[int, Any] = {}
        self.globals: dict[int, Any] = {}
        self._find = find
        self._visit = visit
        self.apart: dict[int, DigestResult] = {}
        self._with_result: set[int] = set()
        self.handlers: dict[type, Handler] = {}
        self.facts: dict[type, Any] = {}
        self.makers: dict[tuple[int, int, bool], tuple[Any, str]] = {}
        self._refs: dict[type, bytes] = {}
        self.places: dict[int, int] = {}
        self.unowned: set[int] = set()
        self.clear: dict[int, tuple[int, Any]] = {}
        self._sealed: dict[int, bytes | None] = {}
        self._alive: list[Any] = []
        self._labels: list[Label] = []
        self._mutable_count = 0
        self._ordering = 0
        self._patience = PATIENCE

    def run(self, value: Any, name: str) -> None:
        """Visit `value` and everything in it; `name` starts the paths in error messages."""
        self._labels = [name]
        # A stack of generators instead of recursion: values may be nested deeper than Python's stack.
        first = self._enter(value)
        frames = [] if first is None else [first]
        while frames:
            for child, label in frames[-1]:
                if type(child) in SCALARS:  # most parts are, and none of them is ever refused
                    sink = self.sink
                    sink.write(scalar(child))
                    if len(sink.parts) > MANY:
                        sink.flush()
                    continue
                self._labels.append(label)
                inner = self._enter(child)
                if inner is not None:
                    # Depth first: this one is next, and then the generator below goes on where it stopped.
                    frames.append(inner)
                    break
                self._labels.pop()
            else:
                frames.pop()
                self._labels.pop()
                if len(self.sink.parts) > MANY:
                    self.sink.flush()
        self._alive.clear()
        self._sealed.clear()
        self.clear.clear()

    def _enter(self, value: Any) -> Steps | None:
        cls = type(value)
        if cls in SCALARS:
            self.sink.write(scalar(value))
            return None
        handler = self.handlers.get(cls)
        if handler is None:
            handler = self.handlers[cls] = self._find(cls)
        return handler(self, value)

    # Methods for handlers

    def mark(self, kind: str, cls: type | None = None) -> None:
        """Write the tag of a kind of value, and the class it is an instance of where that matters."""
        tag = _tags.get(kind)
        if tag is None:
            tag = _tags[kind] = b"@%d:%s" % (len(kind), kind.encode())
        self.sink.write(tag)
        if cls is not None:
            self.type_ref(cls)

    def note_module(self, module: str) -> str:
        """Note the package that a module belongs to; return the module's name as it is written."""
        place = origin(module)
        if place is Origin.PACKAGE or module == "logging":  # what a logger does depends on a setting
            self.packages.add(top_level(module))
        return "__main__" if place is Origin.NOTEBOOK else module

    def type_ref(self, cls: type) -> None:
        """Write the class of a value by name. The class is collected in `code`; its code is not part of the value."""
        # A frame of objects has a million instances of one class, whose name is looked up once.
        written = self._refs.get(cls)
        if written is None:
            written = self._refs[cls] = self._type_ref(cls)
        self.sink.write(written)

    def _type_ref(self, cls: type) -> bytes:
        module = module_of(cls)
        names = [self.note_module(module), qualified_name(cls)]
        if origin(module).is_users:
            self.code.setdefault(id(cls), cls)
            if (name := name_at_home(cls)) != names[1]:
                names += [name] if name else ()
            if not name and not self.in_labels:  # it is stored with its instances, which share it
                self.mutables.setdefault(id(cls), cls)
        return b"".join(b"%d:%s" % (len(name), name) for name in map(str.encode, names))

    def refuse(self, why: str) -> CannotDigest:
        """Return the error that names the part being visited."""
        return CannotDigest(self.path(), why)

    def path(self) -> str:
        """Return the path of the current part, as the user would write it."""
        return shown_path(self._labels)

    def keep(self, value: Any) -> None:
        """Keep a temporary object alive until the end, so that its id is not reused."""
        self._alive.append(value)

    # Large values that many others refer to, such as figures: visited once, apart from the values around them

    def code_of(self, function: Any, name: str) -> None:
        """Write the digest of a registered digest function. It is not part of the state of the values."""
        if (known := self._visited_apart(function, name)) is not None:
            self._write(known)

    def _visited_apart(self, value: Any, name: str) -> DigestResult | None:
        if self._visit is not None and id(value) not in self.apart:
            self.apart[id(value)] = self._visit(value, name)
        return self.apart.get(id(value))

    def _write(self, known: DigestResult) -> None:
        self.sink.raw(known.digest)
        self.code.update(known.code)
        self.packages |= known.packages
        self.files |= known.files

    def is_met(self, value: Any) -> bool:
        """Whether a mutable object was met before."""
        return id(value) in self.places

    def has_result(self, value: Any) -> bool:
        """Whether a value was visited apart and written by its digest."""
        return id(value) in self._with_result

    def place_in(self, whole: Any, part: Any) -> int | None:
        """Return the number of a part in a separate visit of the whole; None when it is not inside."""
        known = self._visited_apart(whole, self.path())
        return None if known is None else known.places.get(id(part))

    def write_result(self, value: Any) -> None:
        """Write the digest of a value that `place_in` visited, or a reference if it was met before."""
        if self.seen(value):
            return
        self._with_result.add(id(value))
        known = self.apart[id(value)]
        self._write(known)
        self.owners |= known.mutable
        self.memory += known.memory

    def note_memory(self, value: Any) -> None:
        """Note the memory that a value itself stands on."""
        for stretch, lender in () if self.in_columns else stretches(value):
            self.memory.append(stretch)
            if lender is not None:
                self.lenders[stretch.owner] = lender
        if type(value) in BUFFERS:
            self.owners.update(map(id, memory_parts(value)))

    # Mutable objects: which parts are shared is part of the content

    def seen(self, value: Any) -> bool:
        """Write a reference if `value` was met before; else give it the next number."""
        self._mutable_count += 1
        if self._ordering:
            self._spend()
        place = self.places.get(id(value))
        # Labels are not reported as mutable, but their ids stand in `places`, so they must stay alive until the end.
        if self.in_labels:
            self._alive.append(value)
        else:
            self.mutables.setdefault(id(value), value)
        # A reference instead of the content: it ends cycles, and tells one list under two names from two equal lists.
        if place is not None:
            self.sink.write(b"&%d:" % place)
            return True
        self.places[id(value)] = len(self.places)
        return False

    def seen_all(self, values: list[Any]) -> bool:
        """Number all of `values` if each of them is new and occurs once; else change nothing."""
        ids = [id(value) for value in values]
        fresh = dict(zip(ids, values, strict=True))
        # One of them was met before, or occurs twice: the caller then visits them one by one, and writes references.
        if len(fresh) < len(ids) or not self.places.keys().isdisjoint(fresh):
            return False
        self._mutable_count += 1
        start = len(self.places)
        self.places.update(zip(ids, range(start, start + len(ids)), strict=True))
        self.mutables.update(fresh)
        return True

    def write_rows(self, values: list[Any], row: Callable[[Any], bytes]) -> bool:
        """Write mutable values that hold scalars only, with a reference for each that was met before.

        Args:
            values: one after the other.
            row: returns what is written of a value that is new.

        Returns:
            Whether they are written; where the order of a set is sought, each has to be visited instead.
        """
        if self._ordering or self.in_labels:
            return False
        self._mutable_count += len(values)
        places, written = self.places, []
        for value in values:
            place = places.get(id(value))
            if place is None:
                self.mutables[id(value)] = value
                places[id(value)] = len(places)
                written.append(row(value))
            else:
                written.append(b"&%d:" % place)
        self.sink.raw(b"".join(written))
        return True

    def _spend(self) -> None:
        self._patience -= 1
        if self._patience < 0:
            raise self.refuse("a set of objects too entangled to be put in order")

    # Immutable containers: sharing does not count

    def sealed(self, value: Any, steps: Steps) -> Steps | None:
        """Write the digest of an immutable container's content.

        A container that is met again is visited at most once more: mutable parts are then written as references, which
        no longer change. So a structure that shares its parts 2**100 times takes linear time.
        """
        known = self._sealed.get(id(value))
        if known is not None:
            self.sink.write(known)
            return None
        return self._sealing(value, steps)

    def _sealing(self, value: Any, steps: Steps) -> Steps:
        again = id(value) in self._sealed
        if not again:
            # Kept alive, lest another tuple gets its id. None says: met once, not known to be final.
            self._sealed[id(value)] = None
            self._alive.append(value)
        before, outer = self._mutable_count, self.sink
        self.sink = Stream()
        yield from steps
        content = b"#" + self.sink.digest()
        self.sink = outer
        # Without mutable parts its content never changes; with them the second visit gives what all later ones give.
        if again or self._mutable_count == before:
            self._sealed[id(value)] = content
        outer.write(content)

    # Sets: the order does not count

    def unordered(self, members: list[Any]) -> Steps:
        """Write members in the order of their digests.

        Members with mutable parts are visited twice: first to find the order, then to write them in that order,
        including references to what they share with the rest of the value.
        """
        if len(members) == 1:
            yield members[0], ELEMENT
            return
        # Each is hashed without what others add, so that the order does not depend on the order of visits.
        found: list[tuple[bytes, bool, Any]] = []
        for member in members:
            places, sealed, outer = len(self.places), len(self._sealed), self.sink
            self.sink = Stream()
            self._ordering += 1
            yield member, ELEMENT
            self._ordering -= 1
            content, self.sink = self.sink.digest(), outer
            # Places given out during that trial are taken back, or the real visit would find every part met before.
            grew = len(self.places) > places
            if grew:
                _shorten(self.places, places)
                _shorten(self._sealed, sealed)
            found.append((content, grew, member))
        found.sort(key=lambda one: one[0])
        for content, grew, member in found:
            self.sink.write(content)
            if grew and not self._ordering:
                yield member, ELEMENT


def _shorten(table: dict[int, Any], size: int) -> None:
    while len(table) > size:
        table.popitem()
