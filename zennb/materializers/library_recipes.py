"""Owns the recipes of objects of libraries that have none of their own, or none that brings them back as they were."""

from __future__ import annotations

import copyreg
import importlib
import random
import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any

from zennb.compat.arrays import function_of_ufunc
from zennb.compat.instances import is_a
from zennb.compat.python import iterator_recipe
from zennb.digests.objects import is_pure
from zennb.materializers.constants import constant_reduction, objects_of_libraries
from zennb.materializers.matches import match_recipe
from zennb.materializers.networks import network_reduction
from zennb.materializers.previews import figure_state, is_figure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "global_generator",
    "library_reduction",
    "make_drawing",
    "make_font",
    "make_polynomial",
    "make_ufunc",
    "make_view",
    "part_of_figure",
    "set_structure",
]


def library_reduction(
    value: Any,
    models: Callable[[], Sequence[Any]] = tuple,
    objects: Callable[[], Mapping[int, tuple[str, str]]] = objects_of_libraries,
    *,
    by_structure: bool = False,
) -> tuple[Any, ...] | None:
    """Return our pickle recipe of an object of a library; None for one that needs none.

    Args:
        value: the object.
        models: returns the models of keras that are written with it.
        objects: returns the `object()`s of libraries.
        by_structure: whether objects whose class says that it does not support pickling yet have one.
    """
    if is_figure(value):
        state: tuple[Any, ...] = figure_state(value)
        return state
    own: tuple[Any, ...] | None = _structure(value) if by_structure else None
    if own is None and "keras" in sys.modules:
        own = network_reduction(value, models())
    own = own or constant_reduction(value, objects)
    return own or next((found for kind in _KINDS if (found := kind(value)) is not None), None)


# Python: `random.randint` is a method of one generator, which a copy would leave behind


def _generator(value: Any) -> tuple[Any, ...] | None:
    return (global_generator, ()) if value is global_generator() else None


def global_generator() -> Any:
    """Return the generator behind the functions of `random`."""
    return random.random.__self__  # type: ignore[attr-defined] # a method, to type checkers a function


# sympy: rings do not survive their own recipe, and polynomials forget over which numbers they are


def _of_sympy(value: Any) -> tuple[Any, ...] | None:
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


# numpy: `np.frompyfunc(f, 2, 1)` is pickled by a name under which nobody finds it


def _ufunc(value: Any) -> tuple[Any, ...] | None:
    function = function_of_ufunc(value)
    if function is None:
        return None
    return make_ufunc, (function, value.nin, value.nout, value.identity)


def make_ufunc(function: Any, nin: int, nout: int, identity: Any) -> Any:
    """Return the ufunc of a function."""
    options = {} if identity is None else {"identity": identity}
    return importlib.import_module("numpy").frompyfunc(function, nin, nout, **options)


# PIL: what draws in an image


def _drawing(value: Any) -> tuple[Any, ...] | None:
    drawing: Any = getattr(sys.modules.get("PIL.ImageDraw"), "ImageDraw", None)
    image = getattr(value, "_image", None) if drawing is not None and type(value) is drawing else None
    if image is None:
        return None
    state = {name: part for name, part in vars(value).items() if name not in {"_image", "im", "draw"}}
    return make_drawing, (image, value.mode, state)


def make_drawing(image: Any, mode: str, state: dict[str, Any]) -> Any:
    """Return what draws in an image."""
    made = importlib.import_module("PIL.ImageDraw").ImageDraw(image, mode)
    vars(made).update(state)
    return made


def _font(value: Any) -> tuple[Any, ...] | None:
    font: Any = getattr(sys.modules.get("PIL.ImageFont"), "FreeTypeFont", None)
    content = getattr(value, "font_bytes", None) if font is not None and type(value) is font else None
    if content is None:  # it has a file
        return None
    return make_font, (content, value.size, value.index, value.encoding, value.layout_engine)


def make_font(content: bytes, *options: Any) -> Any:
    """Return a font of what was read from its file."""
    return importlib.import_module("PIL.ImageFont").FreeTypeFont(BytesIO(content), *options)


# plotly: traces, layouts and their parts are written as copies, which the figure would no longer follow


def _of_figure(value: Any) -> tuple[Any, ...] | None:
    """Return the recipe of a part of a figure: what it is a part of, and where."""
    loaded: Any = sys.modules.get("plotly.basedatatypes")
    if loaded is None or not is_a(value, loaded.BasePlotlyType):
        return None
    parent: Any = value.parent
    if parent is None or not is_a(value.figure, loaded.BaseFigure):
        return None
    names = ("data", "layout") if is_a(parent, loaded.BaseFigure) else (value.plotly_name,)
    for name in names:
        held = parent[name]
        if held is value:
            return part_of_figure, (parent, name)
        if is_a(held, tuple):
            for at, each in enumerate(held):
                if each is value:
                    return part_of_figure, (parent, name, at)
    return None


def part_of_figure(parent: Any, name: str, at: int | None = None) -> Any:
    """Return what a figure, or a part of it, holds under a name."""
    return parent[name] if at is None else parent[name][at]


# Objects whose class says that it does not support pickling yet


def _structure(value: Any) -> tuple[Any, ...] | None:
    """Return the recipe of an object written in Python by its attributes, if its own says that there is none yet."""
    array: Any = getattr(sys.modules.get("numpy"), "ndarray", None)
    is_array = array is not None and is_a(value, array)
    if is_a(value, type) or not (is_array or is_pure(type(value))):
        return None
    try:
        value.__reduce_ex__(5)
    except NotImplementedError:
        new: Any = copyreg.__newobj__  # type: ignore[attr-defined] # the name that pickles use
        made = (make_view, (type(value), value.view(array))) if is_array else (new, (type(value),))
        return *made, object.__getstate__(value), None, None, set_structure
    return None


def make_view(cls: Any, array: Any) -> Any:
    """Return an array as one of a derived class."""
    return array.view(cls)


def set_structure(value: Any, state: Any) -> None:
    """Set the attributes of an object, and those in slots."""
    for part in state if is_a(state, tuple) else (state,):
        for name, each in (part or {}).items():
            object.__setattr__(value, name, each)


_KINDS: tuple[Callable[[Any], tuple[Any, ...] | None], ...] = (
    _generator,
    _of_sympy,
    _ufunc,
    _drawing,
    _font,
    _of_figure,
    match_recipe,
    iterator_recipe,
)
