"""Runs, steps, artifacts, stacks and plans as Python code holds them: records that show themselves."""
