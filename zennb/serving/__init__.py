"""Serving: the process of a deployment, from its order to its answers over HTTP."""
