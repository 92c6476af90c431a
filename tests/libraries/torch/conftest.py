"""A notebook in this process, as in `tests/jupyter`, for cells that use torch."""

from importlib.util import find_spec

from tests.jupyter.conftest import notebook

__all__ = ["collect_ignore_glob", "notebook"]

collect_ignore_glob = ["test_*.py"] if find_spec("torch") is None else []  # `.ci/libraries` says so
