"""Owns the source of one value (`ValueSource`), and which names may share a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from xxhash import xxh3_128_hexdigest

from zennb.digests.digest import digest_value
from zennb.errors import CannotDigest
from zennb.provenance.code_sites import NOTHING, Inner, merged
from zennb.provenance.value_shape import Shape, holds_no_code, shape_of_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zennb.provenance.cell_statements import CellStatement

__all__ = [
    "NOTHING",
    "AliasGroups",
    "LocalModules",
    "SourceKind",
    "StepOutput",
    "ValueSource",
    "combined",
    "known_output",
    "literal",
    "opaque",
]


class SourceKind(StrEnum):
    """How a name got its value.

    VALUE: the content is known. DEFINITION: by `def` or `class`. IMPORT: by an import. COMPUTED: by a statement that
    gives an equal value for equal inputs. OPAQUE: by one whose value differs each time or cannot be followed. PENDING:
    by a step that will run or may run.
    """

    VALUE = "value"
    DEFINITION = "definition"
    IMPORT = "import"
    COMPUTED = "computed"
    OPAQUE = "opaque"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSource:
    """Where the value of one name comes from.

    Attributes:
        kind: how it came about.
        text: what is recorded and compared: equal for equal values.
        own: content digest of a value, digest of a definition, dotted path of an import.
        inner: what code that it is, or holds, does when called.
        shape: what can happen to it.
        seen: files and environment variables that were read for it, each with the state it was found in.
        texts: texts that it may contain.
        written: (definitions) digest of its text, docstrings and comments included.
        waits: steps that it waits for.
        cell: number of the code cell that made or changed it last; 0 when unknown.
        statement: digest of the statement that did.
        bound: digest of the statement that bound it.
    """

    kind: SourceKind
    text: str
    own: str = ""
    inner: Inner = NOTHING
    shape: Shape = Shape.ANY
    seen: frozenset[tuple[str, str]] = frozenset()
    texts: frozenset[str] = frozenset()
    written: str = ""
    waits: frozenset[str] = frozenset()
    cell: int = 0
    statement: str = ""
    bound: str = ""

    @property
    def can_change(self) -> bool:
        """Whether something can change it in place."""
        return self.shape is not Shape.FIXED

    @property
    def is_certain(self) -> bool:
        """Whether an equal text means an equal value."""
        return self.kind not in {SourceKind.OPAQUE, SourceKind.PENDING}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutput:
    """One recorded output of a step.

    Attributes:
        digest: content.
        type: its type as text; numbers and texts cannot be changed in place.
        needs: classes and functions of the notebook that it refers to.
        is_data: whether it was stored as data that can hold no code.
    """

    digest: str
    type: str = ""
    needs: tuple[str, ...] = ()
    is_data: bool = False


class LocalModules:
    """The local modules of a notebook, judged by their source; this base class represents a notebook without any."""

    def content(self, path: str) -> str:  # noqa: ARG002 - for subclasses
        """Return a digest of all that a module, or what it offers, consists of; "" when it is no local module."""
        return ""

    def keeps_state(self, path: str) -> bool:  # noqa: ARG002 - for subclasses
        """Whether a local module holds something that calls of its functions can change."""
        return False

    def lookups(self, path: str) -> Inner:  # noqa: ARG002 - for subclasses
        """Return what a local module, and those that it imports, look up in text, and their texts."""
        return NOTHING

    def written(self, path: str) -> str:  # noqa: ARG002 - for subclasses
        """Return a digest of the text of a local module, and of those that it imports; "" for any other path."""
        return ""

    def settings(self, path: str) -> frozenset[str]:  # noqa: ARG002 - for subclasses
        """Return the libraries of which importing a local module sets something."""
        return frozenset()

    def settings_of_calls(self, path: str) -> frozenset[str]:  # noqa: ARG002 - for subclasses
        """Return the libraries of which calling functions of a local module may set something."""
        return frozenset()


class AliasGroups:
    """Which names may stand for one value, or for values that share a part: a change of one may be a change of all."""

    def __init__(self) -> None:
        self._groups: dict[str, set[str]] = {}

    def of(self, name: str) -> frozenset[str]:
        """Return the names that may share a value with `name`, itself included."""
        return frozenset(self._groups.get(name, ())) | {name}

    def join(self, names: Iterable[str]) -> None:
        """Note that these names may share a value from now on."""
        wanted = set(names)
        groups = {id(group): group for name in wanted if (group := self._groups.get(name)) is not None}
        # The largest group grows in place, so that joining a long chain of names stays cheap.
        together = max(groups.values(), key=len, default=set[str]())
        joined = wanted.union(*groups.values()) - together
        if len(together) + len(joined) > 1:
            together |= joined
            self._groups.update(dict.fromkeys(joined, together))

    def leave(self, name: str) -> None:
        """Note that a name was bound to another value, or unbound."""
        group = self._groups.pop(name, None)
        if group is not None:
            # The others may still share a value with each other.
            group.discard(name)


def combined(*parts: str) -> str:
    """Return one digest of several texts, each told apart from the next."""
    return xxh3_128_hexdigest(
        "".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")
    )


def opaque(inner: Inner, why: str, *, cell: int, texts: frozenset[str] = frozenset()) -> ValueSource:
    """Return the source of a value that is only known by running the code; `why` is for people."""
    text = f"opaque {why}".rstrip()
    return ValueSource(kind=SourceKind.OPAQUE, text=text, inner=inner, texts=texts, cell=cell)


def literal(value: object, statement: CellStatement, *, cell: int) -> ValueSource:
    """Return the source of a literal value."""
    try:
        digest = digest_value(value).digest
    except CannotDigest:
        # A literal without a digest cannot be compared by content, but equal text still means an equal value.
        digest = statement.digest
    return ValueSource(
        kind=SourceKind.VALUE,
        text=f"value {digest}",
        own=digest,
        shape=shape_of_type(type(value).__name__),
        texts=statement.analysis.texts,
        cell=cell,
        statement=statement.digest,
        bound=statement.digest,
    )


def known_output(left: StepOutput, old: ValueSource | None) -> ValueSource:
    """Return the source of a recorded step output, which may contain the code and texts of what its code binds."""
    # Objects of classes of the notebook run the code of these classes when they are used.
    needs = frozenset(need.partition(".")[0] for need in left.needs)
    inner = NOTHING if old is None or left.is_data or holds_no_code(left.type) else old.inner
    return ValueSource(
        kind=SourceKind.VALUE,
        text=f"value {left.digest}",
        own=left.digest,
        inner=merged([inner, Inner(reads=needs)]) if needs else inner,
        shape=shape_of_type(left.type, needs=left.needs),
        texts=frozenset() if old is None else old.texts,
    )
