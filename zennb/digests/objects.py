"""Owns the digests of objects in general, by the pickle protocol, and of small types of the standard library."""

from __future__ import annotations

import copyreg
import warnings
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, NamedTuple

from zennb.compat.instances import attributes_of, bases_of, class_attributes, error_line, is_a
from zennb.compat.iterators import behind, shows_namespace
from zennb.compat.python import iterator_recipe
from zennb.digests.containers import children, key_value_pairs, mapping, members
from zennb.digests.copy_effects import effects_of_recipe
from zennb.digests.lost_callbacks import lost_callback
from zennb.digests.recipes import has_plain_recipe, whole_recipe
from zennb.digests.walker import HIDDEN, STATE, DigestWalker, Handler, Steps
from zennb.packages.origin import full_name, module_of, origin, public_name, top_level

if TYPE_CHECKING:
    from enum import Enum
    from fractions import Fraction
    from pathlib import PurePath
    from re import Match, Pattern
    from types import CellType, MappingProxyType
    from zoneinfo import ZoneInfo

__all__ = [
    "HANDLERS",
    "as_labels",
    "by_recipe",
    "cell_content",
    "changeable",
    "enumerated",
    "is_pure",
    "named_tuple",
    "path",
    "recipe_of",
    "set_of",
    "settled",
    "tree",
]

CACHE_ATTRIBUTES = {
    "matplotlib": frozenset({"_cid_gen", "_invalid", "_parents", "_stale"}),
    # Views of the graph, made when they are first asked for.
    "networkx": frozenset(
        {"adj", "degree", "edges", "in_degree", "in_edges"}
        | {"nodes", "out_degree", "out_edges", "pred", "succ"}
    ),
    "scipy": frozenset({"_has_canonical_format", "_has_sorted_indices"}),
    "numpy": frozenset({"_ufunc"}),
    "sklearn": frozenset({"_deprecated_key_to_warnings"}),
    "sympy": frozenset({"_hash"}),
}
"""Attributes, by package, that are caches: they change when a value is only read."""


LAZY_ATTRIBUTES = {"xarray": ("attrs", "encoding")}
"""Attributes, by package, that a value gets when it is asked for any attribute that it does not have."""

TABLES = frozenset({"matplotlib.colors.LinearSegmentedColormap", "matplotlib.colors.ListedColormap"})
"""Types whose copies share lookup tables, which are not modified in place."""


def changeable(walker: DigestWalker, value: Any) -> Steps | None:
    """Write a mutable object."""
    if walker.seen(value):
        return None
    walker.note_memory(value)
    return settled(walker, value)


def settled(walker: DigestWalker, value: Any) -> Steps | None:
    """Write an object by its pickle recipe (`__reduce_ex__`)."""
    recipe = recipe_of(walker, value)
    caches = _facts(walker, type(value)).caches
    if type(recipe) is tuple and (found := effects_of_recipe(recipe, type(value), walker.makers)):
        raise walker.refuse(f"an object of type {public_name(type(value))} whose {found}")
    if type(recipe) is tuple and (callback := lost_callback(value, recipe, walker.clear, caches)):
        kind = _title(type(value))
        raise walker.refuse(f"an object of type {kind} whose callback `{callback}` would be lost in a store")
    return by_recipe(walker, value, recipe)


def by_recipe(walker: DigestWalker, value: Any, recipe: str | tuple[Any, ...]) -> Steps | None:
    """Write an object by a pickle recipe."""
    if is_a(recipe, str):
        walker.mark("global")
        module = module_of(value) or module_of(type(value))  # functions of numpy 1 do not say
        walker.note_module(module)
        walker.sink.text(module)
        walker.sink.text(recipe)
        if not origin(module).is_users:
            walker.globals[id(value)] = value
        return None
    walker.mark("object", type(value))
    parts = _parts(walker, type(value), (*recipe, *(None,) * (6 - len(recipe))))
    return as_labels(walker, parts) if _facts(walker, type(value)).is_table else parts


def as_labels(walker: DigestWalker, parts: Steps) -> Steps:
    """Visit the parts of an object without counting them as mutable state that others may share."""
    walker.in_labels += 1
    yield from parts
    walker.in_labels -= 1


def recipe_of(walker: DigestWalker, value: Any) -> str | tuple[Any, ...]:
    """Return the pickle recipe of an object. This runs user code, which may raise anything."""
    cls = type(value)
    facts = _facts(walker, cls)
    for name in facts.lazy:
        getattr(value, name, None)
    if facts.is_users and not _RECIPES.isdisjoint(attributes_of(value)):
        raise walker.refuse(
            f"an object of type {_title(cls)} with a pickle recipe of its own, which a copy would lose"
        )
    try:
        found = _recipe(value, facts)
    except KeyboardInterrupt:
        raise
    except NotImplementedError as error:
        if not is_pure(cls):
            raise walker.refuse(_refusal(cls, error)) from error
        found = (getattr(copyreg, "__newobj__", None), (cls,), object.__getstate__(value))
    except BaseException as error:
        raise walker.refuse(_refusal(cls, error)) from error
    if not is_a(found, str | tuple):
        raise walker.refuse(f"an object of type {_title(cls)} with an unusable `__reduce__`")
    if is_a(value, BaseException) and type(found) is tuple and found[2:] == ({},):
        return found[:2]  # its `__dict__` is there only once somebody has looked at it
    return found


def _recipe(value: Any, facts: _Facts) -> Any:
    reducer = copyreg.dispatch_table.get(type(value))
    if facts.is_of_itertools:
        found = iterator_recipe(value)
        if found is not None:
            return found
        with warnings.catch_warnings():  # 3.12 and 3.13 warn that these cannot be taken apart in 3.14
            warnings.simplefilter("ignore", DeprecationWarning)
            return value.__reduce_ex__(4)
    own = None if facts.is_plain else whole_recipe(value)
    return own or (value.__reduce_ex__(4) if reducer is None else reducer(value))


class _Facts(NamedTuple):
    """What the instances of a class have in common: a figure has thousands, of few classes.

    Attributes:
        lazy: of `LAZY_ATTRIBUTES`.
        caches: of `CACHE_ATTRIBUTES`.
        is_table: whether it is one of `TABLES`.
        is_plain: whether `whole_recipe` has none for them.
        is_of_itertools: whether it is a class of `itertools`.
        is_users: whether it is a class of the user.
    """

    lazy: tuple[str, ...]
    caches: frozenset[str]
    is_table: bool
    is_plain: bool
    is_of_itertools: bool
    is_users: bool


def _facts(walker: DigestWalker, cls: type) -> _Facts:
    known: _Facts | None = walker.facts.get(cls)
    if known is None:
        module = module_of(cls)
        known = walker.facts[cls] = _Facts(
            lazy=LAZY_ATTRIBUTES.get(top_level(module), ()),
            caches=CACHE_ATTRIBUTES.get(top_level(module), frozenset()),
            is_table=_title(cls) in TABLES,
            is_plain=has_plain_recipe(cls),
            is_of_itertools=module == "itertools",
            is_users=origin(module).is_users,
        )
    return known


_RECIPES = frozenset({"__reduce__", "__reduce_ex__", "__getstate__"})


def is_pure(cls: type) -> bool:
    """Whether all that an instance holds is in its attributes: its class and all bases are written in Python."""
    slots = sum(
        type(each) is MemberDescriptorType
        for base in bases_of(cls)
        for each in class_attributes(base).values()
    )
    room = object.__basicsize__ + POINTER * (slots + 2)  # and for `__dict__` and `__weakref__`
    new: Any = cls.__new__
    return cls.__basicsize__ <= room and not cls.__itemsize__ and new is object.__new__


POINTER = 8


def _refusal(cls: type, error: BaseException) -> str:
    title = _title(cls)
    text = error_line(error)
    if text.startswith("TypeError: cannot pickle"):
        return f"an object of type {title}"
    return f"an object of type {title} that cannot be taken apart ({text})"


def _title(cls: type) -> str:
    return full_name(cls).removeprefix("builtins.")


def _parts(walker: DigestWalker, cls: type, recipe: tuple[Any, ...]) -> Steps:
    """Yield the parts of a recipe (see `object.__reduce__`)."""
    make, args, state, items, pairs, setter = recipe
    # The two usual ways to make an object are written as one letter; the class is written already.
    if make is getattr(copyreg, "__newobj__", None) and args and args[0] is cls:
        walker.sink.write(b"n")
        args = args[1:]
    elif make is cls:
        walker.sink.write(b"c")
    else:
        walker.sink.write(b"f")
        # A function that makes the object: its code, or its package's version, counts.
        yield make, HIDDEN
    args = tuple(args or ())
    walker.sink.number(len(args))
    for arg in args:
        yield arg, HIDDEN
    yield from _state(walker, cls, state)
    if items is not None:
        # Iterators of a recipe can be read only once, and their length is written first.
        found = list(items)
        walker.sink.write(b"i%d:" % len(found))
        yield from children(found)
    if pairs is not None:
        found = list(pairs)
        walker.sink.write(b"p%d:" % len(found))
        yield from key_value_pairs(found)
    if setter is not None:
        walker.sink.write(b"t")
        yield setter, HIDDEN
    walker.sink.write(b".")


def _state(walker: DigestWalker, cls: type, state: Any) -> Steps:
    if state is None:
        return
    caches = _facts(walker, cls).caches
    if caches and is_a(state, dict):
        kept = {name: part for name, part in state.items() if name not in caches}
        if state and not kept:  # as if there were none: a `Bunch` of sklearn has lost it when it is loaded
            return
        state = kept
        walker.keep(state)
    if type(state) is tuple and len(state) == 2:
        walker.sink.write(b"2")
        for half in state:
            yield half, STATE
    else:
        walker.sink.write(b"s")
        yield state, STATE


def tree(walker: DigestWalker, value: Any) -> Steps | None:
    """Write a tree of scipy by its points and their order: its own recipe has addresses in memory."""
    if walker.seen(value):
        return None
    walker.note_memory(value)
    parts = (value.data, value.leafsize, value.boxsize, value.indices, value.size)
    return by_recipe(walker, value, (type(value), parts))


def set_of(walker: DigestWalker, value: set[Any] | frozenset[Any]) -> Steps:
    """Write an instance of a subclass of set or frozenset: pickle would write its accidental order."""
    if walker.seen(value):
        return
    walker.mark("set", type(value))
    yield from members(walker, value) or ()
    yield value.__getstate__(), STATE


def named_tuple(walker: DigestWalker, value: tuple[Any, ...]) -> Steps | None:
    """Write an instance of a subclass of tuple that adds no attributes of its own."""
    walker.mark("tuple", type(value))
    walker.sink.number(len(value))
    return walker.sealed(value, children(value))


def enumerated(walker: DigestWalker, value: Enum) -> Steps:
    """Write a member of an enumeration."""
    walker.mark("enum", type(value))
    walker.sink.text(value._name_ or "")
    yield value._value_, ".value"


def path(walker: DigestWalker, value: PurePath) -> None:
    """Write a path: its text, and its type without the module (which moved in Python 3.13)."""
    walker.mark("path")
    walker.sink.text(type(value).__name__)
    walker.sink.text(str(value))


def _pattern(walker: DigestWalker, value: Pattern[Any]) -> Steps:
    walker.mark("pattern")
    walker.sink.number(value.flags)
    yield value.pattern, HIDDEN


def _match(walker: DigestWalker, value: Match[Any]) -> Steps | None:
    walker.mark("match")
    where = (value.pos, value.endpos, *(value.span(group) for group in range(len(value.groups()) + 1)))
    return walker.sealed(value, children((value.re, value.string, where)))


def _fraction(walker: DigestWalker, value: Fraction) -> None:
    walker.mark("fraction")
    walker.sink.number(value.numerator)
    walker.sink.number(value.denominator)


def _zone(walker: DigestWalker, value: ZoneInfo) -> Steps | None:
    # A zone that was read from a file has no name; its content is in its recipe.
    if value.key is None:
        return settled(walker, value)
    walker.mark("zone")
    walker.sink.text(value.key)
    return None


def _slice(walker: DigestWalker, value: slice) -> Steps | None:
    walker.mark("slice")
    return walker.sealed(value, children((value.start, value.stop, value.step)))


def _range(walker: DigestWalker, value: range) -> None:
    walker.mark("range")
    for number in (value.start, value.stop, value.step):
        walker.sink.number(number)


def _memoryview(walker: DigestWalker, value: memoryview) -> None:
    walker.owners.add(id(value.obj))
    walker.note_memory(value)
    walker.mark("memoryview")
    walker.sink.text(f"{value.format} {value.shape}")
    walker.sink.buffer(value.cast("B") if value.c_contiguous and value.nbytes else value.tobytes())


def _proxy(walker: DigestWalker, value: MappingProxyType[Any, Any]) -> Steps | None:
    walker.mark("mappingproxy")
    if id(behind(value)) not in walker.unowned and shows_namespace(value):
        raise walker.refuse("a view of the attributes of an object, class or module")
    held = behind(value)
    walker.unowned.add(id(held))
    walker.keep(held)
    return mapping(walker, dict(value)) if held is None else iter([(held, HIDDEN)])


def _cell(walker: DigestWalker, value: CellType) -> Steps | None:
    if walker.seen(value):
        return None
    walker.mark("cell")
    return cell_content(walker, value)


def cell_content(walker: DigestWalker, cell: CellType) -> Steps:
    """Write the content of a closure variable, which may still be empty."""
    try:
        content = cell.cell_contents
    except ValueError:
        walker.mark("empty")
        return
    yield content, HIDDEN


HANDLERS: dict[str, Handler] = {
    "re.Pattern": _pattern,
    "re.Match": _match,
    "fractions.Fraction": _fraction,
    "builtins.slice": _slice,
    "builtins.range": _range,
    "builtins.memoryview": _memoryview,
    "builtins.mappingproxy": _proxy,
    "builtins.cell": _cell,
    "datetime.date": settled,
    "datetime.datetime": settled,
    "datetime.time": settled,
    "datetime.timedelta": settled,
    "datetime.timezone": settled,
    "decimal.Decimal": settled,
    "uuid.UUID": settled,
    "zoneinfo.ZoneInfo": _zone,
    "builtins.ellipsis": settled,
    "builtins.NotImplementedType": settled,
    "types.GenericAlias": settled,
    "types.UnionType": settled,
}
"""Handlers of exact types, by name, so that their modules need not be imported. All are immutable."""
