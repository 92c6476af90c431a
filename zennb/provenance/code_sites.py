"""Owns the calls and stores in code, and what the functions and classes of a statement do when they are called."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from zennb.core.magic_lines.effects import Effect
from zennb.core.reading.literals import is_immutable_literal
from zennb.core.reading.source import analyse_function
from zennb.core.reading.tree import child_nodes, nodes_in
from zennb.provenance.calls import CallSite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from zennb.core.reading.scopes import Definition

__all__ = ["NOTHING", "Inner", "chain_of", "inner_code", "merged", "sites_in"]

_CODE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_PLAIN_DECORATORS = frozenset(
    {"abstractmethod", "cache", "cached_property", "classmethod", "contextmanager", "dataclass", "getter"}
    | {"guvectorize", "jit", "lru_cache", "njit", "overload", "override", "property", "setter"}
    | {"staticmethod", "total_ordering", "vectorize", "wraps"}
)
"""Decorators that do not make a function stateful."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """What the code that a statement defines does when it is called later.

    Attributes:
        reads: names of the notebook that it reads.
        binds: names of the notebook that it may bind, by `global`.
        chains: dotted uses of those names, as in `core.reading.source.Analysis`.
        modules: dotted paths of the modules that it imports itself.
        sites: its calls and stores.
        stores: whether it stores into attributes of what it is given, be it a class or function.
        keeps_state: whether calling it may change it: it has a default that can change, or attributes of its own.
        methods: names of the methods of classes.
        phrases: what reading cannot see through.
        texts: its string constants.
        lookups: its uses that may look names up in text, as in `core.reading.source.Analysis`.
    """

    reads: frozenset[str] = frozenset()
    binds: frozenset[str] = frozenset()
    chains: frozenset[tuple[str, ...]] = frozenset()
    modules: frozenset[str] = frozenset()
    sites: tuple[CallSite, ...] = ()
    stores: bool = False
    keeps_state: bool = False
    methods: frozenset[str] = frozenset()
    phrases: tuple[str, ...] = ()
    texts: frozenset[str] = frozenset()
    lookups: frozenset[tuple[str, ...]] = frozenset()


NOTHING = Inner()
"""Code that does nothing."""


def merged(found: Iterable[Inner]) -> Inner:
    """Return what several pieces of code do together."""
    found = list({id(each): each for each in found if each is not NOTHING and each != NOTHING}.values())
    if len(found) < 2:
        return found[0] if found else NOTHING
    return Inner(
        reads=frozenset().union(*(each.reads for each in found)),
        binds=frozenset().union(*(each.binds for each in found)),
        chains=frozenset().union(*(each.chains for each in found)),
        modules=frozenset().union(*(each.modules for each in found)),
        sites=tuple(dict.fromkeys(site for each in found for site in each.sites)),
        stores=any(each.stores for each in found),
        keeps_state=any(each.keeps_state for each in found),
        methods=frozenset().union(*(each.methods for each in found)),
        phrases=tuple(dict.fromkeys(phrase for each in found for phrase in each.phrases)),
        texts=frozenset().union(*(each.texts for each in found)),
        lookups=frozenset().union(*(each.lookups for each in found)),
    )


# What is called


def sites_in(node: ast.AST) -> Iterator[CallSite]:
    """Yield the calls and stores that a statement makes when it runs; not those inside functions it defines."""
    bare = _bare(node)
    pending: list[ast.AST] = [node]
    while pending:
        one = pending.pop()
        yield from _site(one, is_bare=one in bare)
        decorators: list[ast.expr] = getattr(one, "decorator_list", [])
        # A decorator is called with what it decorates, though no parentheses say so.
        yield from (_called(each, frozenset()) for each in decorators if not isinstance(each, ast.Call))
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            # Of a function only these are evaluated when the `def` runs; its body runs when it is called.
            pending += [*decorators, *one.args.defaults, *filter(None, one.args.kw_defaults)]
        else:
            pending += child_nodes(one)


def _bare(node: ast.AST) -> set[ast.AST]:
    return {
        one.value.value if isinstance(one.value, ast.Await) else one.value
        for one in nodes_in(node)
        if isinstance(one, ast.Expr)
    }


def _site(node: ast.AST, *, is_bare: bool) -> Iterator[CallSite]:
    if isinstance(node, ast.Call):
        given = [*node.args, *(each.value for each in node.keywords)]
        yield _called(
            node.func,
            _names(given),
            is_bare=is_bare,
            keywords=frozenset(each.arg for each in node.keywords if each.arg and not _is_false(each.value)),
            texts=tuple(
                each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ),
            arguments=len(given),
            hands_over_method=any(isinstance(each, ast.Attribute) for each in given),
        )
    elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        key = node.slice if isinstance(node, ast.Subscript) else None
        text = (key.value,) if isinstance(key, ast.Constant) and isinstance(key.value, str) else ()
        root, path = chain_of(node if isinstance(node, ast.Attribute) else node.value, through_calls=True)
        made = any(isinstance(one, ast.Call) for one in nodes_in(node.value))
        yield CallSite(root=root, path=path, is_call=False, texts=text, is_of_result=made)
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        yield CallSite(root=node.target.id, is_call=False)


def _called(func: ast.expr, names: frozenset[str], **more: Any) -> CallSite:
    root, path = chain_of(func)
    if not root:
        names |= _names([func])
    return CallSite(root=root, path=path, names=names, is_of_result=not root, **more)


def chain_of(node: ast.expr, *, through_calls: bool = False) -> tuple[str, tuple[str, ...]]:
    """Return where `a.b[0].c` starts, and its attributes; "" when it starts at no name."""
    path: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Call):
        if isinstance(node, ast.Call):
            if not through_calls:
                break
            node = node.func
            continue
        if isinstance(node, ast.Attribute):
            path.append(node.attr)
        node = node.value
    return (node.id if isinstance(node, ast.Name) else ""), tuple(reversed(path))


def _names(nodes: Iterable[ast.AST]) -> frozenset[str]:
    return frozenset(one.id for node in nodes for one in nodes_in(node) if isinstance(one, ast.Name))


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


# What it defines


def inner_code(node: ast.stmt) -> Inner:
    """Return what the functions, classes and lambdas in a statement do when they are called."""
    found = [one for one in nodes_in(node) if isinstance(one, _CODE)]
    if not found:
        return Inner()
    read = [analyse_function(one) for one in _outermost(node)]
    reads = frozenset(name for each in read for name in each.reads)
    sites = [site for one in found for site in _body_sites(one)]
    return Inner(
        reads=reads,
        binds=frozenset(name for each in read for name in each.binds),
        chains=frozenset(chain for each in read for chain in each.chains),
        modules=frozenset(".".join(path).removesuffix(".*") for each in read for path in each.modules),
        sites=tuple(_known(site, reads) for site in sites),
        stores=any(map(_stores, sites)),
        keeps_state=any(_keeps_state(one) for one in found),
        methods=frozenset(
            each.name
            for one in found
            if isinstance(one, ast.ClassDef)
            for each in one.body
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        ),
        texts=frozenset(text for each in read for text in each.texts),
        lookups=frozenset(chain for each in read for chain in each.lookups),
        phrases=tuple(
            dict.fromkeys(
                phrase
                for each in read
                for phrase in (*each.dynamic, *(m.text for m in each.magics if m.effect is not Effect.NONE))
            )
        ),
    )


def _outermost(node: ast.AST) -> Iterator[Definition | ast.Lambda]:
    """Yield the functions, classes and lambdas that are in no body of another one: with these the others are read."""
    parts = child_nodes(node)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        yield node
        # A lambda among these is no part of the body.
        parts = [
            *getattr(node, "decorator_list", ()),
            *node.args.defaults,
            *filter(None, node.args.kw_defaults),
        ]
    elif isinstance(node, ast.ClassDef):
        yield node
        return
    for each in parts:
        yield from _outermost(each)


def _body_sites(node: ast.AST) -> Iterator[CallSite]:
    if isinstance(node, ast.ClassDef):
        return
    body = node.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else [node.body]  # type: ignore[attr-defined]
    for each in body:
        yield from sites_in(each)


def _stores(site: CallSite) -> bool:
    if site.is_call:
        return not site.path and site.root in {"setattr", "delattr", "vars"}
    return bool(site.path) and (site.root != "self" or "__class__" in site.path or site.is_of_result)


def _known(site: CallSite, reads: frozenset[str]) -> CallSite:
    """Return a site in a function with only the notebook's names; the function's local names are removed."""
    root = site.root if site.root in reads else ""
    # Of a chain that starts at a local name, the last attribute still says what kind of call it is.
    return replace(site, root=root, path=site.path if root else site.path[-1:], names=site.names & reads)


def _keeps_state(node: ast.AST) -> bool:
    """Whether calling code may change that code itself: `def f(x, seen=[])`, a class whose instances count on it."""
    for each in getattr(node, "decorator_list", ()):
        root, path = chain_of(each, through_calls=True)
        if (path[-1] if path else root) not in _PLAIN_DECORATORS:
            return True
    if isinstance(node, ast.ClassDef):
        return any(_holds_state(each) for each in node.body) or any(
            isinstance(one, ast.Attribute | ast.Subscript)
            and isinstance(one.ctx, ast.Store | ast.Del)
            and (chain_of(one.value)[0] != "self" or "__class__" in chain_of(one.value)[1])
            for one in nodes_in(node)
        )
    if isinstance(node, ast.Lambda):
        return False
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
    # A default that can change is kept between calls: `def f(x, seen=[])`.
    if any(not is_immutable_literal(each) for each in defaults):
        return True
    return any(
        isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store) and chain_of(one)[0] == node.name
        for one in nodes_in(node)
    )


def _holds_state(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    return value is not None and not is_immutable_literal(value)
