"""Secrets: which values are secret, and how texts are shown without them."""
