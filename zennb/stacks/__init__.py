"""Owns what is registered, where it lives, and stacks opened for use."""
