"""Owns the panels: widgets for mouse and keyboard that run the same commands as the magics."""
