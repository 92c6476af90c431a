"""Owns the names of Python's own settings that other parts ask for by name."""

from __future__ import annotations

__all__ = ["FOLDER", "FOLDER_PATH", "MODULE_PATH", "RECURSION_LIMIT", "WARNING_FILTERS"]

FOLDER = "current folder"

FOLDER_PATH = "path of the current folder"
"""What a step depends on that asks where it is, or goes elsewhere."""

MODULE_PATH = "module path"
RECURSION_LIMIT = "recursion limit"
WARNING_FILTERS = "warning filters"
