"""Digests of values and code: equal content gives an equal digest in any process."""
