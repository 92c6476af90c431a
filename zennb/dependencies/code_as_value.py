"""Owns what a step depends on where code is read as a value: docstrings, source and subclasses.

As a rule docstrings and comments do not count, and classes that nothing names are not looked at.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from zennb.compat.instances import is_a, module_attribute, name_of_module
from zennb.core.reading.reflection import Reflection
from zennb.dependencies.callables import is_users_code
from zennb.digests.code import class_name, function_name
from zennb.digests.stream import text_digest
from zennb.packages.origin import Origin, module_of, origin

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

__all__ = ["read_as_value", "subclasses_of"]


def read_as_value(code: object, reads: Collection[Reflection]) -> Iterator[tuple[str, str]]:
    """Yield dotted name and digest of what is read of a function, class or module as a value."""
    if is_a(code, FunctionType):
        if Reflection.DOCSTRINGS in reads:
            yield f"{function_name(code)}.__doc__", text_digest([str(code.__doc__)])
        if Reflection.SOURCE in reads:
            yield f"{function_name(code)}.__code__", text_digest(_source(code))
    elif is_a(code, type):
        if Reflection.DOCSTRINGS in reads:
            yield f"{class_name(code)}.__doc__", text_digest([str(vars(code).get("__doc__"))])
        if Reflection.SUBCLASSES in reads:
            names = [class_name(each) for each in subclasses_of(code)]
            yield f"{class_name(code)}.__subclasses__", text_digest(names)
    if Reflection.SOURCE in reads and not is_a(code, FunctionType) and (file := _file(code)):
        yield f"{file.stem}.__file__", text_digest([file.read_text("utf-8", "replace")])


def subclasses_of(cls: type) -> list[type]:
    """Return the user's own subclasses of a class, whatever its metaclass says."""
    found: list[type] = type.__subclasses__(cls)
    return [each for each in found if is_users_code(each)]


def _source(function: FunctionType) -> Iterable[str]:
    code = function.__code__
    try:
        return [str(code.co_firstlineno), str(inspect.getcomments(code)), inspect.getsource(code)]
    except (OSError, TypeError, SyntaxError, IndexError):
        return [str(code.co_firstlineno)]


def _file(code: object) -> Path | None:
    """Return the file of a local module, or of the module of a class."""
    module = code if is_a(code, ModuleType) else sys.modules.get(module_of(code))
    if module is None or origin(name_of_module(module)) is not Origin.LOCAL:
        return None
    file = module_attribute(module, "__file__")
    return Path(file) if isinstance(file, str) and Path(file).is_file() else None
