"""Owns the digests of sympy's expressions: immutable values that share parts and fill caches when they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zennb.compat.instances import class_attributes, is_a
from zennb.digests.objects import as_labels, by_recipe, changeable, recipe_of, settled
from zennb.digests.walker import HIDDEN
from zennb.packages.origin import full_name, module_of, origin

if TYPE_CHECKING:
    from zennb.digests.walker import DigestWalker, Handler, Steps

__all__ = ["EXPRESSIONS"]


_SET_BY_SYMPY = frozenset({"nargs"})
_WITH_DOMAIN = frozenset({"sympy.polys.polytools.Poly", "sympy.polys.polytools.PurePoly"})


def _expression(walker: DigestWalker, value: Any) -> Steps | None:
    """Write an expression by what it is made of; that it shares parts with others does not count."""
    added = getattr(value, "__dict__", {}).keys() - _SET_BY_SYMPY
    if added and origin(module_of(type(value))).is_users:
        return changeable(walker, value)  # attributes that the user adds can be set
    recipe = recipe_of(walker, value)
    if is_a(recipe, tuple) and len(recipe[1]) == 3 and is_a(recipe[1][2], dict):
        # The keywords of a symbol (`positive=True`) are kept in it, and are as little modified as the symbol.
        cls, args, keywords = recipe[1]
        recipe = (recipe[0], (cls, args, tuple(sorted(keywords.items()))), *recipe[2:])
    steps = by_recipe(walker, value, recipe)
    # Sealed, because an expression may contain the same part very many times.
    return None if steps is None else walker.sealed(value, as_labels(walker, _parts(walker, value, steps)))


def _parts(walker: DigestWalker, value: Any, recipe: Steps) -> Steps:
    yield from recipe
    if _is_undefined(type(value)):
        yield from _undefined_function(walker, type(value))
    if full_name(type(value)) in _WITH_DOMAIN:  # their own recipe leaves it out
        yield value.domain, ".domain"


def _undefined_function(walker: DigestWalker, value: Any) -> Steps:
    """Write `Function("f", real=True)`: a class that is made by a call and lies in no module."""
    walker.mark("undefined function")
    walker.packages.add("sympy")
    walker.sink.text(value.__name__)
    for base in value.__bases__:
        yield base, ".__bases__"
    yield tuple(sorted(class_attributes(value)["_kwargs"].items())), "._kwargs"


def _is_undefined(cls: type) -> bool:
    return "_kwargs" in class_attributes(cls) and not module_of(cls)


def _domain(walker: DigestWalker, value: Any) -> Steps | None:
    """Write a domain, which may refer to itself."""
    return None if _is_met(walker, value) else as_labels(walker, settled(walker, value) or iter(()))


def _ring(walker: DigestWalker, value: Any) -> Steps | None:
    """Write a ring of polynomials by what makes it: it does not survive its own `__getstate__`."""
    return None if _is_met(walker, value) else as_labels(walker, _made_of(walker, value))


def _made_of(walker: DigestWalker, value: Any) -> Steps:
    walker.mark("ring", type(value))
    yield value.__getnewargs__(), HIDDEN


def _is_met(walker: DigestWalker, value: Any) -> bool:
    walker.in_labels += 1
    met = walker.seen(value)
    walker.in_labels -= 1
    return met


def _facts(walker: DigestWalker, value: Any) -> Steps:
    """Write the assumptions that were given; what sympy has deduced from them is a cache."""
    walker.mark("facts", type(value))
    yield tuple(sorted(value.generator.items())), HIDDEN


EXPRESSIONS: dict[str, Handler] = {
    "sympy.core.assumptions.StdFactKB": _facts,
    "sympy.core.basic.Basic": _expression,
    "sympy.core.function.UndefinedFunction": _undefined_function,
    "sympy.polys.domains.domain.Domain": _domain,
    "sympy.polys.fields.FracField": _ring,
    "sympy.polys.rings.PolyRing": _ring,
}
"""Handlers by the name of a base type."""
