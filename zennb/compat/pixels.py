"""Owns what we know of PIL's access to pixels: it changes the memory of an image, and does not say of which."""

from __future__ import annotations

import gc
import sys
from typing import Any

from zennb.compat.instances import module_name, qualified_name

__all__ = ["images_beside", "is_pixel_access"]


def is_pixel_access(cls: type) -> bool:
    """Whether instances of a class are what `load()` of an image returns."""
    return (
        qualified_name(cls) == "PixelAccess" and module_name(cls) == "builtins" and "PIL.Image" in sys.modules
    )


def images_beside(_access: object) -> list[Any]:
    """Return the images whose memory something else holds as well: the access to the pixels of one, among others."""
    loaded: Any = sys.modules["PIL.Image"]
    alone = _holders(loaded.new("1", (1, 1)))
    kinds, waiting = {loaded.Image}, [loaded.Image]
    while waiting:
        waiting = [each for kind in waiting for each in type.__subclasses__(kind) if each not in kinds]
        kinds.update(waiting)
    return [each for each in gc.get_objects() if type(each) in kinds and _holders(each) > alone]


def _holders(image: Any) -> int:
    held = vars(image)
    memory = held.get("_im", held.get("im"))  # releases before 11 have it under the other name
    return 0 if memory is None else sys.getrefcount(memory)
