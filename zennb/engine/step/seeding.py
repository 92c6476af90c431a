"""Owns which random generators a step seeds before anything draws from them: their earlier state does not matter."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from zennb.compat.instances import is_a, module_name, name_of_module, qualified_name
from zennb.core.magic_lines.effects import Effect
from zennb.core.magic_lines.magics import read_magic
from zennb.core.reading.tree import nodes_in
from zennb.dependencies.callables import is_users_code
from zennb.digests.function_source import function_node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["generator_function", "seeds"]

_RANDOM, _NUMPY, _TORCH = (f"random state of {name}" for name in ("random", "numpy", "torch"))

_SEEDS = {
    "numpy.random.seed": (_NUMPY,),
    "random.seed": (_RANDOM,),
    "torch.manual_seed": (_TORCH,),
    "torch.random.manual_seed": (_TORCH,),
    # These seed torch as well where it is what they compute with, which their name does not say.
    "keras.utils.set_random_seed": (_RANDOM, _NUMPY),
    "tensorflow.keras.utils.set_random_seed": (_RANDOM, _NUMPY),
    "lightning.seed_everything": (_RANDOM, _NUMPY, _TORCH),
    "lightning.pytorch.seed_everything": (_RANDOM, _NUMPY, _TORCH),
    "pytorch_lightning.seed_everything": (_RANDOM, _NUMPY, _TORCH),
    "transformers.set_seed": (_RANDOM, _NUMPY, _TORCH),
}
"""Functions that seed generators, by name."""

_QUIET = (
    *("matplotlib.", "seaborn.set", "warnings.", "logging."),
    *("pandas.set_option", "numpy.set_printoptions", "numpy.seterr", "os.environ.", "os.putenv"),
    *("torch.cuda.manual_seed", "torch.cuda.is_available", "torch.backends.", "torch.set_", "torch.use_"),
    *("tensorflow.random.set_seed", "tensorflow.config.", "builtins."),
)
"""Begins the names of functions that draw no random numbers: they set a style or option."""

_BUILTINS = ("bool", "dict", "float", "int", "isinstance", "len", "print", "str", "type")
"""Builtins that call nothing of the user when they are given numbers and text."""

_HARMLESS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.Pass, ast.Global)
_PLAIN = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.If, ast.Return)
_BINDING = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.If)
_HIDDEN = (ast.Await, ast.Yield, ast.YieldFrom, ast.comprehension)
"""Parts of a statement behind which something may be called that is not read here."""

_DEEPEST = 4
"""Calls that are followed from function to function."""


def seeds(tree: ast.Module, definitions: Mapping[str, Any]) -> frozenset[str]:
    """Return the generators that a cell, or a function that it calls first, seeds before anything may draw.

    Args:
        tree: the cell.
        definitions: functions, classes and modules that it reads, by name.
    """
    search = _Search(
        _names(definitions), functions={n: v for n, v in definitions.items() if is_users_code(v)}
    )
    search.run(tree.body)
    return frozenset(search.seeded)


def generator_function(value: object) -> str:
    """Return the dotted name of a function that belongs to a global random generator; "" for anything else."""
    if not is_a(value, MethodType | BuiltinFunctionType):
        return ""
    kind = type(value.__self__)
    home = {"RandomState": "numpy.random", "Random": "random"}.get(qualified_name(kind), "")
    return f"{home}.{value.__name__}" if home and module_name(kind).startswith(home) else ""


@dataclass(slots=True)
class _Search:
    """The search through statements, one after another.

    Attributes:
        known: name → dotted name of modules and functions.
        functions: functions of the user, by name: those that there are, and those that the code defines.
        depth: how many calls led here.
        seeded: the generators seeded so far.
    """

    known: dict[str, str]
    functions: dict[str, Any]
    depth: int = 0
    seeded: list[str] = field(default_factory=list)

    def run(self, body: Iterable[ast.stmt]) -> bool:
        """Follow statements; return False as soon as one of them may draw."""
        for statement in body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                # An import in the code itself is bound only when it runs, so the namespace may not have it yet.
                self.known.update(_imported(statement))
            if isinstance(statement, ast.FunctionDef):
                self.functions[statement.name] = statement
            if not self._follow(statement):
                return False
            for each in nodes_in(statement) if isinstance(statement, _BINDING) else ():
                if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                    self.known.pop(each.id, None)
                    self.functions.pop(each.id, None)
            if isinstance(statement, ast.Return):
                return True
        return True

    def _follow(self, statement: ast.stmt) -> bool:
        call = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
        magic = read_magic(call) if isinstance(call, ast.Call) else None
        if magic is not None:
            return magic.effect is Effect.SETTING
        if isinstance(call, ast.Call):
            given = [*call.args, *(each.value for each in call.keywords)]
            if any(self._may_draw(each) for each in given):
                return False
            name = self._called(call.func)
            if name in _SEEDS:
                self.seeded += [*_SEEDS[name], *_of_backend(name)]
                return True
            function = self.functions.get(call.func.id) if isinstance(call.func, ast.Name) else None
            if function is not None and name not in _SEEDS:
                return self._enter(function)
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            return not statement.decorator_list
        return isinstance(statement, _HARMLESS) or (
            isinstance(statement, _PLAIN) and self._is_quiet(statement)
        )

    def _enter(self, function: Any) -> bool:
        """Follow a function of the user that is called."""
        node = function if isinstance(function, ast.FunctionDef) else None
        inner = _Search(dict(self.known), dict(self.functions), self.depth + 1, self.seeded)
        if is_a(function, FunctionType):
            found = function_node(function.__code__)
            node = found if isinstance(found, ast.FunctionDef) else None
            names = function.__globals__
            inner.known = _names(names)
            inner.functions = {name: each for name, each in names.items() if is_users_code(each)}
        if node is None or self.depth >= _DEEPEST or node.decorator_list:
            return False
        if any(isinstance(each, ast.Yield | ast.YieldFrom) for each in nodes_in(node)):
            return False  # a call of a generator executes nothing yet
        for each in nodes_in(node.args):  # a parameter may have the name of a module
            if isinstance(each, ast.arg):
                inner.known.pop(each.arg, None)
                inner.functions.pop(each.arg, None)
        return inner.run(node.body)

    def _is_quiet(self, node: ast.AST) -> bool:
        """Whether a statement surely draws nothing, and the one below it is executed next."""
        parts = nodes_in(node)
        if isinstance(node, ast.If) and any(isinstance(each, ast.Return | ast.Raise) for each in parts):
            return False  # what is seeded below may not be reached
        inner = {each.value for each in parts if isinstance(each, ast.Attribute)}
        paths = (each for each in parts if isinstance(each, ast.Attribute) and each not in inner)
        # An attribute of a value may be computed when it is asked for.
        return not self._may_draw(node) and all(self._called(each) for each in paths)

    def _may_draw(self, node: ast.AST) -> bool:
        parts = nodes_in(node)
        if any(isinstance(each, _HIDDEN) for each in parts):
            return True
        names = (self._called(each.func) for each in parts if isinstance(each, ast.Call))
        return not all(name in _SEEDS or name.startswith(_QUIET) for name in names)

    def _called(self, node: ast.expr) -> str:
        """Return the dotted name of what is called; "" when it is not known."""
        path = list[str]()
        while isinstance(node, ast.Attribute):
            path.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id in self.functions:
            return ""
        root = self.known.get(node.id) or (f"builtins.{node.id}" if node.id in _BUILTINS and not path else "")
        return ".".join([root, *path]) if root else ""


def _names(values: Mapping[str, Any]) -> dict[str, str]:
    found = {
        name: name_of_module(value) if is_a(value, ModuleType) else _function(value)
        for name, value in values.items()
    }
    return {name: text for name, text in found.items() if text}


def _function(value: object) -> str:
    """Return the dotted name of a function that seeds; "" for anything else."""
    name = generator_function(value)
    if name or not is_a(value, FunctionType):
        return name
    return next((known for known in _SEEDS if value is _found(known)), "")


def _found(name: str) -> object:
    """Return the function of a library that is loaded, by its dotted name."""
    module, _, last = name.rpartition(".")
    return getattr(sys.modules.get(module), "__dict__", {}).get(last)


def _of_backend(name: str) -> tuple[str, ...]:
    """Return what keras seeds besides: the generator of torch, where it computes with torch."""
    if "keras" not in name:
        return ()
    backend = getattr(sys.modules.get("keras.src.backend.config"), "backend", None)
    return (_TORCH,) if callable(backend) and backend() == "torch" else ()


def _imported(statement: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """Return name → dotted name of what a statement imports."""
    if isinstance(statement, ast.ImportFrom):
        return {each.asname or each.name: f"{statement.module}.{each.name}" for each in statement.names}
    return {
        each.asname or each.name.partition(".")[0]: each.name if each.asname else each.name.partition(".")[0]
        for each in statement.names
    }
