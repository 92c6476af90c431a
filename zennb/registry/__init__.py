"""Registered stacks and components, where they are kept, and stacks opened for use."""
