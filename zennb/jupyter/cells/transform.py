"""Owns the transformers of a step cell's text and syntax tree, after which IPython runs the cell natively.

A cell that starts with `%%step` keeps its lines: the first becomes a call that announces the step, and the tree
is folded into

    if <session>.begin(token):     # decides: False when the results were taken over
        ...the body...
        <session>.finish(token)

so that line numbers, the traceback, magics, `await` and the trailing expression are IPython's own. The text of a
cell that is a step by a comment (`#| step:`) or because every cell is one stays as typed; only its tree is folded.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import io
import pickle
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zennb.compat.python import deep_recursion
from zennb.core.reading.definition_checks import checks
from zennb.core.reading.definitions import is_future
from zennb.core.reading.tree import nodes_in

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CellTransformer", "StepMarker", "TreeTransformer", "copied"]

_FIRST = re.compile(r"^%%step(?P<line>[ \t].*)?$")
_CALL = "zennb_step"
_REMEMBERED = 64
_LONG = 1_000
"""Shorter code is not nested deeply enough to matter: each level takes at least one character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMarker:
    """A step cell that is about to run.

    Attributes:
        command_line: how it is marked as a step: `%%step`, `#| step:`; "" if autostep made it one.
        line: the rest of that line: name and options.
        source: the cell's text.
        tree: the body's syntax tree.
    """

    command_line: str = "%%step"
    line: str
    source: str
    tree: ast.Module


class CellTransformer:
    """An input transformer (first of `cleanup_transforms`) that turns the `%%step` line into a call."""

    has_side_effects = (
        True  # a terminal that asks whether a cell is complete must see `%%step`, and wait for the body
    )

    def __init__(self, single_line: Callable[[str], str] = str) -> None:
        """`single_line` is what IPython makes of a cell of a single line, of `ls` for example."""
        self._single_line = single_line
        self._sources: OrderedDict[str, str] = OrderedDict()

    def __call__(self, lines: list[str]) -> list[str]:
        """Return the lines of the cell, changed when it is a step."""
        start = next((n for n, line in enumerate(lines) if line.strip()), None)
        found = _FIRST.match(lines[start].rstrip("\r\n")) if start is not None else None
        if start is None or found is None:
            return lines
        source = "".join(lines[start:])
        token = _token(source)
        self._sources[token] = source
        self._sources.move_to_end(token)
        while len(self._sources) > _REMEMBERED:
            self._sources.popitem(last=False)
        line = (found["line"] or "").strip()
        body = lines[start + 1 :]
        written = [number for number, each in enumerate(body) if each.strip()]
        if written and body[written[0]].lstrip().startswith("%%"):
            body = []  # refused in a sentence when it is announced; what a cell magic takes need not be Python
        elif len(written) == 1:
            # IPython takes a line for a magic without its `%` only where a cell has no other line.
            body[written[0]] = self._single_line(body[written[0]].rstrip("\r\n")) + "\n"
        return [f"get_ipython().{_CALL}({line!r}, {token!r})\n", *body]

    def source(self, token: str) -> str:
        """Return the text of a cell that was transformed lately; "" when it was not."""
        return self._sources.get(token, "")


class TreeTransformer(ast.NodeTransformer):
    """An AST transformer that wraps the body of a step cell in calls to the session.

    Args:
        announce: takes the step and returns the token under which `begin` asks for it.
        source: returns a cell's text by its token.
        interactivity: returns IPython's `ast_node_interactivity`, which says what is displayed.
        unmarked: returns the step that a cell without `%%step` is, given its tree; None when it is none.
        reads_pending: says whether the cell that runs now names outputs that are not bound yet.
        failed: takes the error when a cell cannot be transformed. Such a cell only calls `refuse`.
    """

    def __init__(
        self,
        announce: Callable[[str, StepMarker], None],
        source: Callable[[str], str],
        interactivity: Callable[[], str],
        unmarked: Callable[[ast.Module], StepMarker | None],
        reads_pending: Callable[[ast.Module], bool] = lambda _tree: False,
        *,
        failed: Callable[[Exception], None],
    ) -> None:
        self._announce, self._source, self._interactivity = announce, source, interactivity
        self._unmarked, self._failed, self._reads_pending = unmarked, failed, reads_pending

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Return the tree, folded when it is that of a step: announced by its first statement, or by other means."""
        try:
            with deep_recursion():
                transformed, step = self._transformed(node)
            if step is not None and len(step.source) > _LONG:
                ast.fix_missing_locations(
                    transformed
                )  # IPython does it next, and an error there is a traceback
            return transformed
        except Exception as error:  # noqa: BLE001 - IPython removes a transformer that raises: no later cell is a step
            self._failed(error)
            return ast.Module(body=[_statement(f"get_ipython().{_CALL}.refuse()")], type_ignores=[])

    def _transformed(self, node: ast.Module) -> tuple[ast.Module, StepMarker | None]:
        found = _announcement(node)
        if found is not None:
            line, token = found
            body = node.body[1:]
            # A copy, as the tree itself is folded, and changed by transformers of others that come after this one.
            tree = copied(ast.Module(body=body, type_ignores=[]))
            step = StepMarker(line=line, source=self._source(token), tree=tree)
        elif (unmarked := self._unmarked(node)) is not None:
            step, token, body = unmarked, _token(unmarked.source), node.body
        else:
            return (_preceded(node) if self._reads_pending(node) else node), None
        self._announce(token, step)
        body = _checked(body, checks(step.tree))
        return _folded(body, token, self._interactivity(), retries="--retries" in step.line), step


def _checked(body: list[ast.stmt], places: dict[int, bool]) -> list[ast.stmt]:
    """Return the body with the calls that note and compare what it defines."""
    found: list[ast.stmt] = []
    for place, node in enumerate(body):
        if place in places:
            # Not an expression: IPython may be told to display all of them.
            call = _statement(f"if get_ipython().{_CALL}.defined(is_start={places[place]}): pass")
            for part in nodes_in(call):
                ast.copy_location(part, node)
            found.append(call)
        found.append(node)
    return found


def _preceded(node: ast.Module) -> ast.Module:
    """Return a plain cell that first loads the outputs it names."""
    place = next((n for n, each in enumerate(node.body) if not is_future(each)), len(node.body))
    call = _statement(f"get_ipython().{_CALL}.need()")
    if place < len(node.body):
        for part in nodes_in(call):
            ast.copy_location(part, node.body[place])
    return ast.Module(body=[*node.body[:place], call, *node.body[place:]], type_ignores=[])


def _token(source: str) -> str:
    # From the text alone, since IPython transforms a cell more than once (is it complete?
    # what goes into the history?).
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def copied(tree: ast.Module) -> ast.Module:
    """Return a copy of a tree, by pickle, which takes a tenth of the time of `copy.deepcopy`.

    All trees share one `ast.Load()` and the like. What shows IPython's tracebacks hangs the whole tree of a source file
    on it, by an attribute of its own, and a copy of that would take longer than most cells. Early releases of Python
    3.12 do not let C code recurse as deeply as a sum of 400 terms needs.
    """
    try:
        stream = io.BytesIO()
        _TreePickler(stream, pickle.HIGHEST_PROTOCOL).dump(tree)
        own: ast.Module = pickle.loads(stream.getvalue())  # our own bytes
    except RecursionError:
        return copy.deepcopy(tree)
    return own


_SHARED = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)


class _TreePickler(pickle.Pickler):
    """Writes contexts and operators (`ast.Load()`), which have no place of their own, by their class alone."""

    def reducer_override(self, node: object) -> Any:
        return (type(node), ()) if isinstance(node, _SHARED) else NotImplemented


def _announcement(node: ast.Module) -> tuple[str, str] | None:
    first = node.body[0] if node.body else None
    if not (isinstance(first, ast.Expr) and isinstance(first.value, ast.Call)):
        return None
    call = first.value
    if not (isinstance(call.func, ast.Attribute) and call.func.attr == _CALL):
        return None
    values = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    return (str(values[0]), str(values[1])) if len(values) == 2 else None


def _folded(body: list[ast.stmt], token: str, interactivity: str, *, retries: bool) -> ast.Module:
    # Python takes them only at the top of a module, not inside the `if`.
    futures = [node for node in body if is_future(node)]
    rest = [node for node in body if node not in futures]
    shown = _displayed(rest, interactivity)
    session = f"get_ipython().{_CALL}"
    if not retries:
        outer = _statement(f"if {session}.begin({token!r}): {session}.finish({token!r})")
        assert isinstance(outer, ast.If)
        outer.body[:0] = shown
    else:
        # Not `try`: a `raise` has a line of its own, which a kernel shows as the place of the error.
        outer = _statement(
            f"while {session}.begin({token!r}):\n with {session}.attempt(): {session}.finish({token!r})"
        )
        assert isinstance(outer, ast.While)
        for part in nodes_in(outer):
            if isinstance(part, ast.stmt | ast.expr):
                part.lineno = part.end_lineno = 1  # all of it stands for the cell's first line
        attempt = outer.body[0]
        assert isinstance(attempt, ast.With)
        attempt.body[:0] = shown
    return ast.Module(body=[*futures, outer], type_ignores=[])  # IPython fills in missing positions


def _displayed(body: list[ast.stmt], interactivity: str) -> list[ast.stmt]:
    """Return the body with the expressions that IPython would display passed to the display hook."""
    if not body or interactivity == "none":
        return body
    if interactivity == "all":
        return [_shown(node) if isinstance(node, ast.Expr) else node for node in body]
    *before, last = body
    if isinstance(last, ast.Expr):
        return [*before, _shown(last)]
    target = _target(last) if interactivity == "last_expr_or_assign" else None
    if target is None:
        return body
    again = ast.Expr(value=ast.copy_location(ast.Name(id=target, ctx=ast.Load()), last))
    return [*body, _shown(ast.copy_location(again, last))]


def _target(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign | ast.AugAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return None


def _shown(node: ast.Expr) -> ast.Expr:
    function = ast.parse(f"get_ipython().{_CALL}.show", mode="eval").body
    call = ast.Call(func=function, args=[node.value], keywords=[])
    for part in nodes_in(function):
        ast.copy_location(part, node.value)
    return ast.copy_location(ast.Expr(value=ast.copy_location(call, node.value)), node)


def _statement(text: str) -> ast.stmt:
    return ast.parse(text).body[0]
