"""Owns the materializer for Pillow images, which are stored without loss."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar

from zennb.compat.instances import error_line
from zennb.errors import DamagedArtifact
from zennb.materializers.materializer import Buffer, Materializer, Scope
from zennb.materializers.plain import PlainData

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Pictures"]


class Pictures(Materializer):
    """Pillow images: pixels, mode, palette and info as plain data, so that reading them runs nothing.

    Images still tied to the file they were opened from are of other classes and are pickled instead.
    """

    name: ClassVar[str] = "picture"

    def handles(self, value: object) -> bool:
        """Say whether `value` is exactly a `PIL.Image.Image`."""
        return type(value) is sys.modules["PIL.Image"].Image

    def dump(self, value: Any) -> Sequence[Buffer]:
        """Return the image as plain data.

        Raises:
            NotStorable: its info holds more than plain data.
        """
        # Pillow's own state lacks the transparency of the palette.
        clear = value.getpalette("RGBA") if value.palette and value.palette.mode == "RGBA" else None
        return PlainData().dump({"state": value.__getstate__(), "clear": clear})

    def load(self, buffer: Buffer, scope: Scope) -> Any:
        """Return the image.

        Raises:
            DamagedArtifact: the bytes are no such picture.
        """
        from PIL import Image

        parts = PlainData().load(buffer, scope)
        image = Image.Image()
        try:
            image.__setstate__(parts["state"])
            if parts["clear"] is not None:
                image.putpalette(parts["clear"], "RGBA")
        except (KeyError, TypeError, ValueError, MemoryError) as error:
            raise DamagedArtifact(
                f"stored bytes are no picture ({error_line(error)}); run the step again.", digest=""
            ) from error
        return image
