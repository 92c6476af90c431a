"""Runs of pipelines: planning them, running their steps, and recording what happened."""
