"""Handles: runs, steps, artifacts, stacks and plans as objects for Python code."""
