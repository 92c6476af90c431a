"""Owns the functions of notebook code for space: `zennb.usage()` and `zennb.prune(older="30d")`."""

from __future__ import annotations

from zennb import api
from zennb.core.planning.pruning import parse_rule
from zennb.handles.space import PrunedHandle, UsageHandle
from zennb.space.prune import prune as pruned
from zennb.space.usage import usage as measured

__all__ = ["prune", "usage"]


def usage(stack: str | None = None) -> UsageHandle:
    """Return what takes space in all artifact stores, or in that of one stack, and what reuse has saved.

    Raises:
        UnknownName: there is no such stack.
        StoreError: a store cannot be read.
    """
    return UsageHandle(measured(api.workspace(), stack=stack))


def prune(
    *,
    older: str | None = None,
    keep: int | None = None,
    unreferenced: bool = False,
    to: str | None = None,
    stack: str | None = None,
    yes: bool = False,
) -> PrunedHandle:
    """Say what could be deleted to free space; with `yes=True`, delete it.

    Never what an open kernel, a pinned version or a run of the last day needs. Exactly one rule is given.

    Args:
        older: what was not used for this long: `"30d"`.
        keep: all but the newest so many versions of each name.
        unreferenced: what no record names.
        to: the longest unused, until the store holds this much: `"5GB"`.
        stack: the stack whose artifact store is meant; by default the active one.
        yes: whether to delete.

    Raises:
        UsageError: none of the rules is given, or more than one.
        UnknownName: there is no such stack.
        StoreError: the store cannot delete, or cannot be read or written.
    """
    rule = parse_rule(older=older, keep=keep, unreferenced=unreferenced, to=to)
    return PrunedHandle(pruned(api.workspace(), rule, stack=stack, delete=yes))
