"""Owns `StepDefinition`: the cell of a step, its code, name and options."""

from __future__ import annotations
import __future__

import ast
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from zennb.core.reading.definitions import is_future
from zennb.core.reading.source import Analysis, analyse, normal_digest
from zennb.core.reading.step_names import NO_HINTS, NameHints, derived_names
from zennb.core.reading.tree import nodes_in
from zennb.core.secrets.literals import NO_SECRETS, CodeSecrets, split_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import CodeType

__all__ = [
    "TEXT_ANNOTATIONS",
    "Nodes",
    "StepDefinition",
    "StepOptions",
    "define",
    "imports_text_annotations",
    "is_silent",
    "nodes",
]

TEXT_ANNOTATIONS = __future__.annotations.compiler_flag
"""The compiler's flag for `from __future__ import annotations`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOptions:
    """The options after `%%step`.

    Attributes:
        name: the step's name; "" to derive one.
        inputs: names given with `-i`, in addition to those found in the code.
        outputs: names given with `-o`; None to find them in the code.
        rerun: run even if a result could be reused.
        cache: whether results may be reused, now and later; False for `--no-cache`.
        retries: how often a failing step is tried again.
        delay: seconds between two tries.
        timeout: seconds after which it is stopped; None for no limit.
        stack: stack for this run of the cell; "" for the active one.
        on: name of the step operator or orchestrator that runs it; "" for the orchestrator of the stack.
        depends_on: paths of files whose content is part of the cache key.
        after: steps that must run first although no value flows.
        expires: seconds for which its results may be reused; None for ever.
        ignore: inputs that are left out of the cache key.
        no_store: outputs that are bound but not stored.
        background: whether the cell only starts it, in a process of its own.
        map: the input over whose elements the step is mapped; "" for none.
        checks: output → variable with the schema that it has to pass; "" for the only output.
        notify: who is told of its end or duration: `team`, `team:failure`, `team:10m`.
    """

    name: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] | None = None
    rerun: bool = False
    cache: bool = True
    retries: int = 0
    delay: float = 0.0
    timeout: float | None = None
    stack: str = ""
    on: str = ""
    depends_on: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    expires: float | None = None
    ignore: tuple[str, ...] = ()
    no_store: tuple[str, ...] = ()
    background: bool = False
    map: str = ""
    checks: Mapping[str, str] = field(default_factory=dict)
    notify: tuple[str, ...] = ()

    @property
    def forced(self) -> str:
        """The option because of which the step runs in any case: `--rerun`, `--no-cache`; "" for none."""
        return "--rerun" if self.rerun else "" if self.cache else "--no-cache"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDefinition:
    """A step as its cell defines it.

    Attributes:
        name: the step's name in the pipeline.
        derived: the names that it can have, the best one first; empty if the user named it.
        cell: the frontend's id of the cell; "" when unknown.
        source: the cell's text as written, `%%step` line included.
        text: the body as Python, one blank first line for `%%step`, so that line numbers are the cell's own.
        filename: the body is compiled under this name, so that tracebacks find its lines.
        tree: the body's syntax tree.
        code: digest of the body's normal form without its secrets, and whether a semicolon silences its last value.
        analysis: what the body reads and binds.
        options: the options after `%%step`.
        secrets: those that are written out in the body.
        text_annotations: whether annotations are text: `from __future__ import annotations` holds for the body and, as
            in a plain notebook, for all cells after the one with that import.
        element_of: the input of which it gets one element, as a part of a mapped step; "" for a step of its own.
    """

    name: str
    derived: tuple[str, ...] = ()
    cell: str = ""
    source: str
    text: str
    filename: str
    tree: ast.Module = field(repr=False)
    code: str
    analysis: Analysis
    options: StepOptions
    secrets: CodeSecrets = field(default=NO_SECRETS, repr=False)
    text_annotations: bool = False
    element_of: str = ""

    def compiled(self, tree: ast.Module | ast.Expression, mode: str, *, flags: int = 0) -> CodeType:
        """Compile a part of the body, under its file name and with its line numbers."""
        if self.text_annotations:
            flags |= TEXT_ANNOTATIONS
        if isinstance(tree, ast.Module):
            tree = _with_futures_first(tree)
        # Without `dont_inherit` the future import of this file would hold for the user's code.
        code: CodeType = compile(tree, self.filename, mode, flags=flags, dont_inherit=True)
        return code


def _with_futures_first(tree: ast.Module) -> ast.Module:
    """Return a body that Python compiles as a whole: IPython, statement by statement, lets futures come anywhere."""
    rest = tree.body[1:] if ast.get_docstring(tree) is not None else tree.body
    if not any(is_future(node) for node in dropwhile(is_future, rest)):
        return tree
    return ast.Module(body=sorted(tree.body, key=lambda node: not is_future(node)), type_ignores=[])


def define(
    tree: ast.Module,
    *,
    options: StepOptions,
    source: str,
    text: str,
    filename: str,
    cell: str = "",
    star: Callable[[str], Iterable[str]] | None = None,
    text_annotations: bool = False,
    hints: NameHints = NO_HINTS,
) -> StepDefinition:
    """Return the definition of a step whose body has the syntax tree `tree`.

    Without a name in the options, the step gets the first of its `derived_names`.
    `text_annotations` says whether an earlier cell imports `annotations` from `__future__`.
    """
    analysis = analyse(tree, star=star)
    shown, secrets = split_secrets(tree, text)
    # A semicolon at the end is not in the syntax tree, but decides what the cell shows and what is replayed.
    code = normal_digest(shown) + (":silent" if is_silent(tree, text) else "")
    if text_annotations and not imports_text_annotations(tree) and _has_annotations(tree):
        code += ":text annotations"
    derived = (
        ()
        if options.name
        else derived_names(analysis, outputs=options.outputs, tree=tree, text=text, hints=hints)
    )
    return StepDefinition(
        name=options.name or derived[0],
        derived=derived,
        cell=cell,
        source=source,
        text=text,
        filename=filename,
        tree=tree,
        code=code,
        analysis=analysis,
        options=options,
        secrets=secrets,
        text_annotations=text_annotations or imports_text_annotations(tree),
    )


def imports_text_annotations(tree: ast.Module) -> bool:
    """Whether a cell makes annotations text, in itself and in the cells after it."""
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in tree.body
    )


def _has_annotations(tree: ast.Module) -> bool:
    return any(
        getattr(node, "annotation", None) is not None or getattr(node, "returns", None) is not None
        for node in nodes_in(tree)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Parts of a step's syntax tree that every run needs.

    Attributes:
        texts: string constants.
        names: names and attributes that it reads.
        targets: attributes and items that are set or deleted.
    """

    texts: frozenset[str]
    names: frozenset[str]
    targets: tuple[ast.Attribute | ast.Subscript, ...]


# Weak: the tree of a cell that was edited goes away with its definition.
_nodes: WeakKeyDictionary[ast.Module, Nodes] = WeakKeyDictionary()


def nodes(tree: ast.Module) -> Nodes:
    """Return the parts of a tree; it is walked only once."""
    found = _nodes.get(tree)
    if found is None:
        walked = nodes_in(tree)
        found = _nodes[tree] = Nodes(
            texts=frozenset(
                node.value
                for node in walked
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            ),
            names=frozenset(
                node.id if isinstance(node, ast.Name) else node.attr
                for node in walked
                if isinstance(node, ast.Name | ast.Attribute)
            ),
            targets=tuple(
                node
                for node in walked
                if isinstance(node, ast.Attribute | ast.Subscript)
                and isinstance(node.ctx, ast.Store | ast.Del)
            ),
        )
    return found


def is_silent(tree: ast.Module, text: str) -> bool:
    """Whether the cell's last value is not displayed because a semicolon follows it."""
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or last.end_lineno is None or last.end_col_offset is None:
        return False
    # Behind the last statement there are only a semicolon and comments. Inside it, `#` and `;` may stand in a string.
    line, *below = text.split("\n")[last.end_lineno - 1 :] or [""]
    behind = line.encode()[last.end_col_offset :].decode()  # columns count bytes
    return any(each.partition("#")[0].rstrip().endswith(";") for each in (behind, *below))
