"""Views of records as HTML and as text, made of pure strings."""
