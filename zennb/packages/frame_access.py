"""Owns which packages look into the frames of their callers, as those do that find names in text.

Packages whose functions are known by name (`core.reading.embedded_names`), or that only ask who called, are left out.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from zennb.packages.origin import Origin, place_of

__all__ = ["looks_into_frames"]

_KNOWN = frozenset(
    {"duckdb", "formulaic", "numexpr", "pandas", "patsy", "polars", "statsmodels"}
    | {
        "IPython",
        "PIL",
        "altair",
        "attr",
        "attrs",
        "bokeh",
        "dateutil",
        "hypothesis",
        "ipykernel",
        "jax",
        "joblib",
    }
    | {
        "jsonschema",
        "matplotlib",
        "networkx",
        "numpy",
        "plotly",
        "pyarrow",
        "pyparsing",
        "pytest",
        "rich",
        "scipy",
    }
    | {"seaborn", "six", "sklearn", "sympy", "tensorflow", "torch", "traitlets", "transformers"}
    | {"typing_extensions", "zennb"}
)
_GETS = re.compile(rb"\b(?:_getframe|currentframe)\b")
_READS = re.compile(rb"\bf_(?:globals|locals)\b")
_MANY = 300
"""Files of a package that are looked at."""


@cache
def looks_into_frames(package: str) -> bool:
    """Whether the source of a package reads the variables of a caller. Nothing is imported for this."""
    if package in _KNOWN or package in sys.stdlib_module_names or not package:
        return False
    return any(map(_reads_frames, _files(package)))


def _files(package: str) -> list[Path]:
    try:
        spec = find_spec(package)
    except (ImportError, ValueError, AttributeError):
        return []
    file = None if spec is None or not spec.has_location else spec.origin
    if file is None or not file.endswith(".py") or place_of(package, file) is not Origin.PACKAGE:
        return []
    path = Path(file)
    return list(islice(path.parent.rglob("*.py"), _MANY)) if path.stem == "__init__" else [path]


def _reads_frames(file: Path) -> bool:
    try:
        text = file.read_bytes()
    except OSError:
        return False
    return _GETS.search(text) is not None and _READS.search(text) is not None
