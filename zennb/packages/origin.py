"""Owns where a module comes from: the notebook, a local file, an installed package, or the standard library."""

from __future__ import annotations

import builtins
import site
import sys
import sysconfig
import types
from enum import Enum
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from zennb.compat.instances import class_attributes, is_a, module_attribute, module_name, qualified_name

__all__ = ["Origin", "full_name", "module_of", "origin", "place_of", "public_name", "top_level"]

OWN = __name__.partition(".")[0]


class Origin(Enum):
    """Where the code of a module was written."""

    NOTEBOOK = "notebook"
    LOCAL = "local"
    PACKAGE = "package"
    PYTHON = "python"

    @property
    def is_users(self) -> bool:
        """Whether its code is digested (packages count by version)."""
        return self is Origin.NOTEBOOK or self is Origin.LOCAL


@cache
def top_level(module: str) -> str:
    """Return the import name: `sklearn` for `sklearn.linear_model`."""
    return module.partition(".")[0]


def public_name(cls: type) -> str:
    """Return a type's name as people write it: `pandas.DataFrame`, `sklearn.linear_model.Ridge`, `int`.

    Private submodules are left out wherever a package above them offers the class under the same name.
    """
    module, name = module_name(cls), qualified_name(cls)
    if module in {"builtins", "__main__"}:
        return name
    parts = module.split(".")
    # From the top, so that the shortest name is found: `pandas.DataFrame`.
    for end in range(1, len(parts)):
        shorter = ".".join(parts[:end])
        if vars(sys.modules.get(shorter, object)).get(name) is cls:
            return f"{shorter}.{name}"
    return f"{module}.{name}"


def module_of(thing: object) -> str:
    """Return the `__module__` of a function or class; "" when it has none."""
    if is_a(thing, type):
        defined_in = module_name(thing)
        # `types.new_class` and, before Python 3.12, `make_dataclass` do not say where they were called.
        # `__module__ = None`, which no package writes; what stands there may also be a property.
        if not defined_in and type(thing) is type and class_attributes(thing).get("__module__") is None:
            return "__main__"
        # A class statement in a text that `exec` runs takes `__name__` from `builtins`.
        is_written = defined_in == "builtins" and class_attributes(thing).get("__module__") == defined_in
        if is_written and vars(builtins).get(qualified_name(thing)) is not thing:
            return "__main__"
        is_made = defined_in == "types" and vars(types).get(qualified_name(thing)) is None
        return "__main__" if is_made else defined_in
    if is_a(thing, types.ModuleType):  # its own `__getattr__` may raise anything
        return ""
    try:
        name = getattr(thing, "__module__", None)
    except Exception:  # noqa: BLE001 - other objects' may, too
        return ""
    return name if type(name) is str else ""


def full_name(cls: type) -> str:
    """Return a type's name with the module that defines it: `pandas.core.frame.DataFrame`, `builtins.int`."""
    return f"{module_of(cls)}.{qualified_name(cls)}"


def origin(module: str) -> Origin:
    """Return where a module comes from. One that cannot be imported is a namespace of the user."""
    if module in {"__main__", "__mp_main__"}:
        return Origin.NOTEBOOK
    top = top_level(module)
    if top in {OWN, ""}:
        return Origin.PACKAGE if top else Origin.PYTHON
    # Code that was run with a `__name__` of its own, such as an embedded shell.
    if module not in sys.modules and not _exists(top):
        return Origin.NOTEBOOK
    return place_of(top, _place(module))


@cache
def _exists(top: str) -> bool:
    try:
        return top in sys.modules or find_spec(top) is not None
    except Exception:  # noqa: BLE001 - what finds modules may be of the user
        return False


def _place(module: str) -> str | None:
    """Return the file (or the folder of a namespace package) of an imported module."""
    loaded = sys.modules.get(module)
    file = module_attribute(loaded, "__file__")
    if isinstance(file, str):
        return file
    try:
        folders = list(module_attribute(loaded, "__path__") or ())
    except Exception:  # noqa: BLE001 - a namespace package looks at its parent, whose import may have failed
        return None
    return f"{folders[0]}/__init__.py" if folders else None


@cache
def place_of(top: str, file: str | None) -> Origin:
    """Say where a module with the import name `top` that lies in `file` comes from."""
    if file is None:
        return Origin.PYTHON if top in sys.stdlib_module_names else Origin.PACKAGE
    path = file if file.startswith("/") else str(Path(file).absolute())
    # Before the standard library, whose folder contains `site-packages`.
    if "/site-packages/" in path or "/dist-packages/" in path or path.startswith(_installed()):
        return Origin.PACKAGE
    if path.startswith(_standard()):
        return Origin.PYTHON
    return Origin.LOCAL if path.endswith((".py", ".pyc", ".pyw")) else Origin.PACKAGE


@cache
def _standard() -> tuple[str, ...]:
    return _folders(sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))


@cache
def _installed() -> tuple[str, ...]:
    user = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return _folders(
        sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages(), *user
    )


def _folders(*paths: str) -> tuple[str, ...]:
    return tuple(
        {str(form) + "/" for path in paths for form in (Path(path).absolute(), Path(path).resolve())}
    )
