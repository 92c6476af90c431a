"""Owns reading one statement of a plain cell: what it binds, defines, calls and sets."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_128_hexdigest

from zennb.core.magic_lines.magics import parse_python
from zennb.core.reading.definitions import flattened
from zennb.core.reading.literals import NOT_WRITTEN_OUT, is_immutable, written_out
from zennb.core.reading.scopes import last_name
from zennb.core.reading.source import Analysis, analyse, normal_digest
from zennb.core.secrets.literals import mask_source, split_secrets
from zennb.provenance.code_sites import NOTHING, Inner, chain_of, inner_code, sites_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from zennb.provenance.calls import CallSite

__all__ = ["CellStatement", "read_cell", "read_statement", "read_statements", "statements"]

_DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStatement:
    """One statement.

    Attributes:
        digest: of its normal form without its secrets: comments, layout and docstrings do not count.
        analysis: what it does with names.
        imports: name → dotted path of what it is imported as, for an import.
        literals: name → the value that is written out, for `K = 3`; empty for other statements.
        definition: the name that it defines, for `def`, `class` and `f = lambda: ...`; "" for other statements.
        inner: what the functions, classes and lambdas in it do when called.
        sites: calls and stores that it makes itself.
        value: the expression whose value it binds; None when there is no single one.
        made_by: what it calls for that value: `("duckdb", "connect")`.
        part_of: the name of which that is a part: `lib` in `xs = lib.XS`.
        alias: the name that it gives another name to: `f` in `g = f`.
        variables: environment variable → value that is written out, for `os.environ["A"] = "1"`.
        written: (definitions) digest of the text of its cell, docstrings and comments included.
        secrets: those that are written out in it, in a form to be sealed; "" for none.
    """

    digest: str
    analysis: Analysis
    imports: Mapping[str, str] = field(default_factory=dict)
    literals: Mapping[str, Any] = field(default_factory=dict)
    definition: str = ""
    inner: Inner = NOTHING
    sites: tuple[CallSite, ...] = ()
    value: ast.expr | None = None
    made_by: tuple[str, ...] = ("",)
    part_of: str = ""
    alias: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    written: str = ""
    secrets: str = ""


@lru_cache(maxsize=512)
def read_cell(source: str) -> tuple[CellStatement, ...] | None:
    """Return the statements of a cell, in order; None for one that makes no sense or is nested too deeply.

    Args:
        source: the cell as written, magics included.
    """
    body = statements(source)
    try:
        return None if body is None else read_statements(body, source)
    except RecursionError:
        return None


def statements(source: str) -> list[ast.stmt] | None:
    """Return the syntax of a cell; of `%%time` and its like the statements that they run."""
    if source.lstrip().startswith("%%"):
        first, _, rest = source.lstrip().partition("\n")
        name, _, line = first[2:].strip().partition(" ")
        # As IPython transforms it, so that one reading of magics serves cells from files and cells that ran.
        call = f"get_ipython().run_cell_magic({name!r}, {line.strip()!r}, {rest!r})"
        return list(flattened(ast.parse(call).body))
    body = parse_python(source)
    return None if body is None else list(flattened(body))


def read_statements(body: Sequence[ast.stmt], text: str) -> tuple[CellStatement, ...]:
    """Read the statements of a cell with this text."""
    defines = any(isinstance(node, _DEFINITION) for node in body)
    written = xxh3_128_hexdigest(mask_source(text).encode("utf-8", "surrogatepass")) if defines else ""
    return tuple(read_statement(node, written, text) for node in body)


def read_statement(node: ast.stmt, written: str = "", text: str | None = None) -> CellStatement:
    """Read one statement; `written` is the digest of the text of its cell, comments included, and `text` this text."""
    analysis = analyse(ast.Module(body=[node], type_ignores=[]))
    shown, secrets = split_secrets([node], text)
    return CellStatement(
        digest=normal_digest(shown),
        analysis=analysis,
        imports=dict(_imports(node)),
        literals=dict(_literals(node)),
        definition=_defined(node),
        inner=inner_code(node),
        sites=tuple(sites_in(node)),
        value=_value(node),
        made_by=_made_by(_value(node)),
        part_of=_part_of(_value(node)),
        alias=node.value.id if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) else "",
        variables=dict(_variables(node)),
        written=written if isinstance(node, _DEFINITION) else "",
        secrets=secrets.content,
    )


# What is bound


def _imports(node: ast.stmt) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (top, top)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            if alias.name != "*":
                yield alias.asname or alias.name, f"{'.' * node.level}{node.module or ''}.{alias.name}"


def _literals(node: ast.stmt) -> Iterator[tuple[str, Any]]:
    """Give names and values of a statement that binds what is written out in it; nothing for any other."""
    if isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
        targets: list[ast.expr] = [node.target]
    elif isinstance(node, ast.Assign):
        targets = node.targets
    else:
        return
    value = written_out(node.value) if node.value is not None else NOT_WRITTEN_OUT
    if value is NOT_WRITTEN_OUT:
        return
    found: dict[str, Any] = {}
    for target in targets:
        if isinstance(target, ast.Name):
            found[target.id] = value
            continue
        names = [each.id for each in getattr(target, "elts", ()) if isinstance(each, ast.Name)]
        if not (isinstance(target, ast.Tuple) and isinstance(value, tuple)):
            return
        if not len(names) == len(target.elts) == len(value):
            return
        found.update(zip(names, value, strict=True))
    if len(targets) > 1 and not is_immutable(value):
        return  # two names for one list
    yield from found.items()


def _variables(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """Give environment variables that are set to a text that is written out."""
    match node:
        case ast.Assign(targets=targets, value=ast.Constant(value=str(text))):
            for target in targets:
                match target:
                    case ast.Subscript(value=holder, slice=ast.Constant(value=str(name))):
                        if last_name(holder) == "environ":
                            yield name, text


def _value(node: ast.stmt) -> ast.expr | None:
    """Return the expression whose value a statement binds, as far as it is one."""
    if isinstance(node, ast.Assign | ast.AnnAssign):
        return node.value
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        # `a += b` binds what `a + b` makes, as far as what can happen to it goes.
        return ast.BinOp(left=ast.Name(id=node.target.id, ctx=ast.Load()), op=node.op, right=node.value)
    return None


def _made_by(value: ast.expr | None) -> tuple[str, ...]:
    root, path = chain_of(value.func) if isinstance(value, ast.Call) else ("", ())
    return (root, *path)


def _part_of(value: ast.expr | None) -> str:
    """Return the name of which a value is a part, or that hands out its own: `lib.XS`, `decimal.getcontext()`."""
    if isinstance(value, ast.Call):
        return chain_of(value.func)[0] if last_name(value.func).startswith("get") else ""
    return chain_of(value)[0] if isinstance(value, ast.Attribute | ast.Subscript) else ""


def _defined(node: ast.stmt) -> str:
    if isinstance(node, _DEFINITION):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda) and len(node.targets) == 1:
        return node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""
    return ""
