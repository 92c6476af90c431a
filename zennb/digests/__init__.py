"""Digests of values and code for cache keys: equal content has an equal digest in every process."""
