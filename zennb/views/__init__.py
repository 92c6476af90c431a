"""Turns records into what people read: HTML and plain text, as pure strings."""
