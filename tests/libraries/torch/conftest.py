"""A notebook in this process, as in `tests/jupyter`, for cells that use torch."""

from tests.jupyter.conftest import notebook

__all__ = ["notebook"]
