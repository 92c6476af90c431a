"""Notebooks as files: reading them and running them in a kernel of their own."""
