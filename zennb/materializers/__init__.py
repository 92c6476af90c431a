"""Turns values into bytes and back: one materializer per kind of value, and `choose`, which picks among them."""
