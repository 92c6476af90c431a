"""Owns reading expressions in evaluation order, with the calls that hide what they read, such as `eval`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from zennb.core.magic_lines.magics import Magic, is_shell, parse_python, read_magic
from zennb.core.reading.binding_log import BindingState, join
from zennb.core.reading.embedded_names import EVALUATES, named_by_call
from zennb.core.reading.joined_texts import HOLE, joined
from zennb.core.reading.names import NameVisitor, comprehension_scope
from zennb.core.reading.reflection import NOTED
from zennb.core.reading.scopes import (
    Definition,
    Kind,
    Scope,
    bound_in,
    definitions_in,
    last_name,
    mangled,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Expressions"]

_OPAQUE_CALLS = {"exec": "exec(...)", "eval": EVALUATES, "globals": "globals()"}
_OPAQUE_AT_THE_TOP = {"locals": "locals()", "vars": "vars()", "dir": "dir()"}
"""Opaque without arguments at the top level; inside a function they only show its local names."""

_OPAQUE_OF_THE_SHELL = frozenset(
    {"ex", "ev", "run_cell", "run_cell_async", "run_code", "run_line_magic", "run_cell_magic", "magic"}
    | {"system", "getoutput", "user_ns", "user_global_ns", "push", "del_var", "reset"}
    | {"safe_run_module", "safe_execfile"}
)


class Expressions(NameVisitor, ast.NodeVisitor):
    """Reads expressions, in the order Python evaluates them."""

    def visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        """Visit nodes one after another."""
        for node in nodes:
            if node is not None:
                self.visit(node)

    def block(self, statements: Sequence[ast.AST]) -> None:
        """Visit statements up to the point that execution cannot pass."""
        for statement in statements:
            if self.path is None:
                return
            self.visit(statement)

    def branch(self, test: ast.expr) -> tuple[BindingState | None, BindingState | None]:
        """Evaluate a condition; return what is known where it holds, and where it does not."""
        match test:
            case ast.BoolOp():
                return self._short_circuit(test)
            case ast.UnaryOp(op=ast.Not()):
                holds, fails = self.branch(test.operand)
                return fails, holds
            case ast.Constant():
                # `while True:` is left only by `break`, and what stands behind `if False:` is never read.
                return (self.path, None) if test.value else (None, self.path)
            case _:
                self.visit(test)
                return self.state, self.state.copy()

    def _short_circuit(self, node: ast.BoolOp) -> tuple[BindingState | None, BindingState | None]:
        conjunction = isinstance(node.op, ast.And)
        decided: list[BindingState | None] = []
        for value in node.values:
            if self.path is None:
                break
            holds, fails = self.branch(value)
            decided.append(fails if conjunction else holds)
            self.path = holds if conjunction else fails
        return (self.path, join(decided)) if conjunction else (join(decided), self.path)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """`a and b`: the right side may not be evaluated."""
        self.path = join(self.branch(node))

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """`a if c else b`."""
        holds, fails = self.branch(node.test)
        self.path = holds
        self.block([node.body])
        holds, self.path = self.path, fails
        self.block([node.orelse])
        self.path = join([holds, self.path])

    def visit_Compare(self, node: ast.Compare) -> None:
        """`a < b < c`: what follows the second operand may not be evaluated."""
        self.visit_all([node.left, node.comparators[0]])
        for comparator in node.comparators[1:]:
            before = self.state.copy()
            self.visit(comparator)
            self.path = join([before, self.path])

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """`a + b + c + ...`: long sums nest to the left, deeper than Python's stack."""
        left: ast.expr = node
        rights: list[ast.expr] = []
        while isinstance(left, ast.BinOp):
            rights.append(left.right)
            left = left.left
        if isinstance(node.op, ast.Add):
            self._joins(joined(node))
        self.visit_all([left, *reversed(rights)])

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """`f"text {value}"`."""
        self._joins(joined(node))
        self.generic_visit(node)

    def _joins(self, text: str) -> None:
        """Note a text that is put together."""
        if text.strip(HOLE):
            self.cell.texts.add(text)

    def visit_Dict(self, node: ast.Dict) -> None:
        """`{key: value}`, evaluated pair by pair."""
        for key, value in zip(node.keys, node.values, strict=True):
            self.visit_all([key, value])

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """`(x := value)`."""
        self.visit(node.value)
        self.store(node.target.id)

    def visit_Name(self, node: ast.Name) -> None:
        """A name alone."""
        if isinstance(node.ctx, ast.Load):
            if node.id in _OPAQUE_CALLS:
                # As a value, a library may call it, which is then not seen: `frame.column.map(eval)`.
                self._opaque("eval" if node.id == "eval" else _OPAQUE_CALLS[node.id], node.id)
            self.load(node.id)
        elif isinstance(node.ctx, ast.Store):
            self.store(node.id)
        else:
            self.delete(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """`a.b.c`: one dotted use when it starts at a name."""
        attributes = [node.attr] if isinstance(node.ctx, ast.Load) else []
        root = node.value
        while isinstance(root, ast.Attribute):
            attributes.append(root.attr)
            root = root.value
        if isinstance(root, ast.Name):
            self.load(root.id, tuple(reversed(attributes)))
            return
        if attributes and is_shell(root) and attributes[-1] in _OPAQUE_OF_THE_SHELL:
            self._opaque(f"get_ipython().{attributes[-1]}", "get_ipython")
        self._method(*attributes)
        self.visit(root)

    def _method(self, *names: str) -> None:
        """Note methods of values without a name that find more than the code names: `df.head().query(...)`."""
        for name in NOTED.intersection(names):
            self.record.look_up(("", name), self.state.bound)

    def visit_Constant(self, node: ast.Constant) -> None:
        """A text may hold names."""
        if isinstance(node.value, str):
            self.cell.texts.add(node.value)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """A lambda may be called from here on."""
        self.visit_all([*node.args.defaults, *node.args.kw_defaults])
        self.may_run(node)

    def may_run(self, node: Definition | ast.Lambda) -> None:
        """Treat a function that has no name in the cell as called here."""
        if not self.cell.calls:
            return
        if isinstance(node, ast.Lambda):
            records = [self.summary(node, self.scope)]
        else:
            records = list(self.bodies_of(node, self.scope))
        for record in records:
            self.absorb(record)
            if not self.called:
                for name in record.reads:
                    for definition in self.cell.definitions.get(name, ()):
                        self.expand(definition)

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp) -> None:
        """`[x for ...]` and `{x for ...}`."""
        self._comprehension(node, [node.elt])

    visit_SetComp = visit_ListComp  # noqa: N815 - named by ast

    def visit_DictComp(self, node: ast.DictComp) -> None:
        """`{k: v for ...}`."""
        self._comprehension(node, [node.key, node.value])

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        """`(x for ...)`: only the first iterable is evaluated here, the rest here or later."""
        self._comprehension(node, [node.elt], lazy=1)

    def _comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp,
        elements: list[ast.expr],
        *,
        lazy: int = 0,
    ) -> None:
        self.visit(node.generators[0].iter)
        before, around = self.state.copy(), self.scope
        self.scope = comprehension_scope(node.generators, around)
        self.lazy += lazy
        for number, generator in enumerate(node.generators):
            if generator.is_async and not lazy:
                self.waits()
            if number:
                self.visit(generator.iter)
            self.visit(generator.target)
            for condition in generator.ifs:
                if self.path is not None:
                    self.path, _ = self.branch(condition)
            if self.path is None:
                break
        self.block(elements)
        self.lazy -= lazy
        self.scope = around
        self.path = join([before, self.path])

    def visit_Await(self, node: ast.Await) -> None:
        """`await x`."""
        self.waits()
        self.visit(node.value)

    def waits(self) -> None:
        """Note a top-level `await`; inside functions it does not matter."""
        self.record.awaits = not self.called

    def visit_Call(self, node: ast.Call) -> None:
        """A call, which may be a magic line, or opaque."""
        magic = read_magic(node)
        if magic is not None:
            self.magic(node, magic)
            return
        self._look_at_call(node)
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Constant):
            self._joins(joined(node))
        if isinstance(node.func, ast.Name):
            self.load(node.func.id)
        else:
            self.visit(node.func)
        self.visit_all([*node.args, *node.keywords])
        for name in named_by_call(node):
            self.load(name)

    def _look_at_call(self, node: ast.Call) -> None:
        """Note calls whose effects the source does not show."""
        function = node.func
        name = last_name(function)
        if name in {"getattr", "methodcaller"}:
            self._method(*(str(each.value) for each in node.args if isinstance(each, ast.Constant)))
        if name in {"__import__", "import_module"}:
            match node.args:
                case [ast.Constant(value=str() as module), *_]:
                    self.record.modules.add((*module.split("."), "*"))
                case _:
                    self._opaque(f"{name}(...)", name if isinstance(function, ast.Name) else "")
        elif not isinstance(function, ast.Name):
            return
        elif name in _OPAQUE_CALLS:
            self._opaque(_OPAQUE_CALLS[name], name)
        elif name in _OPAQUE_AT_THE_TOP and not node.args and self._at_the_top():
            self._opaque(_OPAQUE_AT_THE_TOP[name], name)

    def _at_the_top(self) -> bool:
        scope = self.scope
        while scope is not None and scope.kind is Kind.COMPREHENSION:
            scope = scope.parent
        return scope is None and not self.called

    def _opaque(self, phrase: str, builtin: str) -> None:
        """Note a use of `builtin` whose effects the source does not show, unless the name is local."""
        name = mangled(builtin, self.owner)
        if self.scope is None or self.scope.find(name, self.state.inner) is None:
            # With the builtin, as the phrase does not count in a notebook that has its own function of that name.
            self.record.phrases[phrase] = builtin

    def magic(self, node: ast.expr, magic: Magic, assigned: str = "") -> None:
        """Read a magic or shell line; `assigned` is the text before it, `x = `."""
        text = assigned + (magic.bare or magic.text) if assigned else magic.text
        self.cell.magics.setdefault(node, (node.lineno + self.offset, text, magic.effect))
        self.visit_all(magic.reads)
        if magic.text.endswith("?") or magic.text.startswith(("%pdoc", "%pfile", "%psource")):
            self._method("getsource")
        if magic.opaque:
            self.record.phrases[magic.opaque] = ""
        if magic.code is not None:
            self._python_of_magic(node, magic)
        # Magics bind in the notebook, whatever the scope they stand in.
        for name in magic.binds:
            self.bind(name)
        for name in magic.deletes:
            self.unbind(name)

    def _python_of_magic(self, node: ast.expr, magic: Magic) -> None:
        statements = self.cell.parsed.get(node)
        if statements is None:
            parsed = parse_python(magic.code or "")
            if parsed is None:
                self.record.phrases[magic.text.partition("\n")[0]] = ""
            statements = self.cell.parsed[node] = parsed or []
        around, offset = self.scope, self.offset
        self.offset = node.lineno + self.offset - 1
        # The code of the magic runs in the notebook's namespace, so its functions are the cell's.
        if magic.leaks and self.scope is None and not self.called:
            for name, definitions in definitions_in(statements).items():
                known = self.cell.definitions.setdefault(name, [])
                known.extend(one for one in definitions if one not in known)
        else:
            bound, declared, _ = bound_in(statements)
            self.scope = Scope(Kind.FUNCTION, self.scope, bound - declared, declared=declared)
        before = self.state.copy()
        self.block(statements)
        if self.path is None:
            self.path = before
        self.scope, self.offset = around, offset
