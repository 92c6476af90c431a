"""Owns a small library that can be imported by half, as one whose import was interrupted."""

from __future__ import annotations

import sys
from importlib import import_module
from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LIBRARY", "forget", "import_by_half", "write_library"]

LIBRARY = "halflib"
_FILES = {
    "__init__.py": "from halflib.early import Thing\nfrom halflib import late\nfactor = 2",
    "early.py": """
        import halflib as own

        def use(value):
            return own.factor * int(value)

        class Thing:
            def __init__(self, text):
                self.text = text

            def __setstate__(self, state):
                self.__dict__ |= state
                use(1)
    """,
    "late.py": "import sys\nif getattr(sys, 'interrupt_halflib', False):\n    raise KeyboardInterrupt",
}


def write_library(folder: Path) -> str:
    """Write the library and return the folder to import it from; `halflib.early` keeps the package that it saw."""
    place = folder / "site-packages"
    (place / LIBRARY).mkdir(parents=True)
    for name, text in _FILES.items():
        (place / LIBRARY / name).write_text(dedent(text))
    return str(place)


def import_by_half() -> None:
    """Interrupt the import of the library after its first module."""
    forget()
    sys.interrupt_halflib = True  # type: ignore[attr-defined]  # read by the library
    try:
        import_module(LIBRARY)
    except KeyboardInterrupt:
        pass
    finally:
        del sys.interrupt_halflib  # type: ignore[attr-defined]


def forget() -> None:
    """Forget the library, as a new process would not know it."""
    for name in [each for each in sys.modules if each.partition(".")[0] == LIBRARY]:
        del sys.modules[name]
