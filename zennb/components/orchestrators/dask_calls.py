"""Owns what workers of Dask are sent: calls as source text, which any Python can run, also one without zennb.

A function is pickled by the name of its module, or as bytecode. Without that module, or in another version of Python,
a worker could not even say so. Text that the built-in `eval` is given works everywhere.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from zennb.errors import InvalidConfiguration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["call", "call_text", "refused_versions", "versions", "versions_here", "versions_text"]

_PACKAGES = ("Python", "zennb", "cloudpickle", "distributed")
"""What has to be the same on both sides: it reads what the other side has pickled."""

_MISSING = "not installed"


def versions(names: Sequence[str]) -> dict[str, str]:
    """Return name → version in this process: Python's, without the patch, and those of packages."""
    import sys
    from importlib.metadata import PackageNotFoundError, version

    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = version(name) if name != "Python" else "{}.{}".format(*sys.version_info[:2])
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def call(content: bytes, here: dict[str, str]) -> tuple[Any, tuple[str, dict[str, str]] | None]:
    """Make a call, and return what it returns with None: or the versions of this process, if they are others than here.

    They are compared each time, as workers join at any time.
    """
    import sys

    # For all calls of this process: to ask for the versions of packages takes milliseconds.
    known: dict[str, str] = vars(sys).setdefault("_zennb_dask_versions", {})
    if not known:
        known.update(versions(list(here)))
    if known != here:
        from distributed import get_worker

        return None, (get_worker().address, dict(known))
    import cloudpickle

    function, args, kwargs = cloudpickle.loads(content)
    return function(*args, **kwargs), None


_SOURCE = "\n\n".join(
    ["from __future__ import annotations", *(inspect.getsource(each) for each in (versions, call))]
)


def call_text(content: bytes) -> tuple[str, dict[str, Any]]:
    """Return the arguments of `eval` that make a pickled call on a worker."""
    return _text("call(content, here)", content=content, here=versions_here())


def versions_text() -> tuple[str, dict[str, Any]]:
    """Return the arguments of `eval` that return the versions of a worker."""
    return _text("versions(names)", names=_PACKAGES)


def _text(expression: str, **names: Any) -> tuple[str, dict[str, Any]]:
    return f"[exec(source, globals()), {expression}][1]", {"source": _SOURCE, **names}


def versions_here() -> dict[str, str]:
    """Return the versions of this process."""
    if not _here:
        _here.update(versions(_PACKAGES))
    return dict(_here)


_here: dict[str, str] = {}


def refused_versions(workers: Mapping[str, Mapping[str, str]]) -> InvalidConfiguration | None:
    """Return why workers cannot run steps: zennb is missing, or versions differ; None if they can.

    Args:
        workers: address → its versions.
    """
    here = versions_here()
    if lacking := [worker for worker, found in workers.items() if found.get("zennb") == _MISSING]:
        return InvalidConfiguration(
            f"zennb is not installed on the Dask worker{'s' * (len(lacking) > 1)} {', '.join(lacking)}; there, type: "
            f'pip install "zennb[dask]=={here["zennb"]}"'
        )
    rows = [
        (name, here[name], f"{version} on {worker}")
        for worker, found in workers.items()
        for name, version in found.items()
        if version != here[name]
    ]
    if not rows:
        return None
    table = [("package", "here", "there"), *rows]
    widths = [max(len(row[column]) for row in table) for column in (0, 1)]
    lines = [f"  {name:{widths[0]}}  {own:{widths[1]}}  {other}" for name, own, other in table]
    return InvalidConfiguration(
        "Dask workers have other versions than this kernel, and cannot read what it pickles. Install the same ones on "
        "both sides:\n" + "\n".join(lines)
    )
