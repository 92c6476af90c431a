"""Owns the panels: what a person sees and changes by mouse and keys, made of stock widgets that hold no truth."""
