"""Experiment trackers: zennb's own records, and MLflow."""
