"""Owns the serialization of sympy's polynomials and rings, which do not survive their own pickle recipes."""

from __future__ import annotations

import sys
from typing import Any

from zennb.compat.instances import is_a

__all__ = ["make_polynomial", "sympy_reduction"]


def sympy_reduction(value: Any) -> tuple[Any, ...] | None:
    """Return the pickle recipe of a ring or polynomial that needs one of ours; None for anything else."""
    loaded: Any = sys.modules.get("sympy.polys")
    if loaded is None:
        return None
    if is_a(value, (loaded.rings.PolyRing, loaded.fields.FracField)):
        return type(value), value.__getnewargs__()
    return _polynomial(value) if is_a(value, loaded.polytools.Poly) else None


def _polynomial(value: Any) -> tuple[Any, ...] | None:
    """Return the recipe of a polynomial over other numbers than its expression suggests."""
    domain, expression = value.domain, value.as_expr()
    if type(value)(expression, *value.gens).domain == domain:
        return None
    # The numbers of a finite field are of a class made by a call, which has no name to load it by.
    is_finite = domain.is_FiniteField
    options = {"modulus": int(domain.mod), "symmetric": domain.sym} if is_finite else {"domain": domain}
    return make_polynomial, (type(value), expression, value.gens, options)


def make_polynomial(cls: Any, expression: Any, gens: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Return a polynomial of an expression in some symbols."""
    return cls(expression, *gens, **options)
