"""Registered stacks and components, the home directory, and open stacks."""
