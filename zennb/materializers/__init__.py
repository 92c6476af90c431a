"""Turns values into bytes and back: a materializer for each kind of value, and the choice."""
