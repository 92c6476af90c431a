"""Owns `zennb.digest`: the decorator with which users and packages define the digest of their own types."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from zennb.compat.instances import error_line, is_a, is_one_of, qualified_name
from zennb.digests import code as digest_code
from zennb.digests import containers as digest_plain
from zennb.digests import objects as digest_objects
from zennb.digests.reachability import FAR, parts_of
from zennb.digests.walker import SCALARS, DigestWalker, Handler, Steps
from zennb.errors import CannotDigest, UsageError
from zennb.packages.origin import full_name, public_name

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["by_content", "digest", "has_hooks", "hook_of", "hooked"]

Content = TypeVar("Content", bound=Callable[[Any], Any])

DEEPEST = 100_000
"""Nested values of hooked types before a hook counts as endless."""

_hooks: WeakKeyDictionary[type, FunctionType] = WeakKeyDictionary()


def digest(cls: type) -> Callable[[Content], Content]:
    """Register a function that returns the content of values of a type: `@zennb.digest(Grid)`.

    The function takes a value and returns bytes, text, numbers, arrays, or containers of such. Two values count as
    equal when it returns equal content for them. Its own code counts too: edit it, and the digests change. It holds
    for values of exactly that type, wherever they are met, and replaces the function registered before.

    Args:
        cls: a class of a library or of the notebook.

    Raises:
        UsageError: that is no class, or a type whose digest zennb defines itself.
    """
    if not is_a(cls, type):
        raise UsageError(
            f"zennb.digest takes a class, and got {_article(type(cls))}; write `@zennb.digest(Grid)` above the "
            "function."
        )
    handlers = digest_plain.HANDLERS.keys() | digest_objects.HANDLERS.keys() | digest_code.HANDLERS.keys()
    if cls in SCALARS or not handlers.isdisjoint({cls, full_name(cls)}) or issubclass(cls, type | ModuleType):
        raise UsageError(
            f"`{public_name(cls)}` is a type of Python's own, whose content zennb knows; it takes no digest of yours."
        )

    def register(content: Content) -> Content:
        if not is_a(content, FunctionType):
            raise UsageError(
                f"the digest of `{public_name(cls)}` has to be a function of the value, and is "
                f"{_article(type(content))}."
            )
        _hooks[cls] = content
        return content

    return register


def hooked(code: Iterable[object]) -> tuple[str, ...]:
    """Return the types whose registered functions are among this code. Other processes do not have these functions."""
    met = set(map(id, code)) if _hooks else set[int]()
    return tuple(sorted(public_name(cls) for cls, content in _hooks.items() if id(content) in met))


def has_hooks() -> bool:
    """Whether a digest function is registered for any type."""
    return bool(_hooks)


def hook_of(cls: type) -> Handler | None:
    """Return the handler of a type with a registered digest function; None without one."""
    content = _hooks.get(cls)
    if content is None:
        return None
    handle = by_content(content)

    def noted(walker: DigestWalker, value: Any) -> Steps | None:
        walker.code.setdefault(id(content), content)  # its code counts, whoever wrote it
        return handle(walker, value)

    return noted


def by_content(
    content: Callable[[Any], Any], *, parts: Callable[[Any], Iterable[Any]] | None = None
) -> Handler:
    """Return a handler that digests a value by the result of a function, and by the function's own code.

    Args:
        content: the function.
        parts: returns what of a value other values may hold, too; None for whatever is inside.
    """
    name = str(getattr(content, "__qualname__", qualified_name(type(content)))).rpartition("<locals>.")[2]

    def handle(walker: DigestWalker, value: Any) -> Steps:
        if walker.seen(value):
            return
        if parts is None:
            _keep_parts(walker, value)
        elif not walker.in_labels:
            walker.mutables.update((id(part), part) for part in parts(value))
        walker.mark("by content", type(value))
        walker.code_of(content, name)
        # Counted around the visit of the content: a digest function may return a value of its own type, without end.
        walker.hooked += 1
        found = _content(walker, value, content, name)
        # What the function returned is new, and nobody else holds it.
        walker.keep(found)
        yield found, f" as given by {name}"
        walker.hooked -= 1

    return handle


def _content(walker: DigestWalker, value: Any, content: Callable[[Any], Any], name: str) -> Any:
    """Return what a digest function returns for a value; refuse what is no content."""
    what = _article(type(value))
    if walker.hooked > DEEPEST:
        raise walker.refuse(f"{what} of which the digest function `{name}` makes ever new ones")
    try:
        found = content(value)
    except CannotDigest:
        raise
    except Exception as error:
        why = error_line(error)
        raise walker.refuse(f"{what} whose digest function `{name}` raised {why}") from error
    if found is None or found is value or is_a(found, FunctionType | type | ModuleType):
        got = "None" if found is None else "the value itself" if found is value else _article(type(found))
        raise walker.refuse(f"{what} whose digest function `{name}` returned {got} instead of its content")
    return found


def _keep_parts(walker: DigestWalker, value: Any) -> None:
    """Note every mutable object inside a value, because values that contain it too share state with this one.

    The walker only visits what the function returns, which may be copies.
    """
    if walker.in_labels:
        return
    seen = walker.opened  # of a value inside such a value, all has been noted already
    level = [] if id(value) in seen else [value]
    seen.add(id(value))
    # A bound on the search: a value may lead to everything, e.g. through a widget to the kernel.
    left = FAR
    while level and left > 0:
        fresh = {
            id(part): part
            for part in parts_of(level)
            if not is_one_of(part, SCALARS) and id(part) not in seen
        }
        seen.update(fresh)
        left -= len(fresh)
        for key, part in fresh.items():
            if not is_a(part, _SETTLED):
                walker.mutables.setdefault(key, part)
        level = list(fresh.values())


_SETTLED = (type, ModuleType, FunctionType, tuple, frozenset, Enum)
"""Kinds of parts that are immutable themselves. Their contents may be mutable, and are checked."""


def _article(cls: type) -> str:
    name = public_name(cls)
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"
