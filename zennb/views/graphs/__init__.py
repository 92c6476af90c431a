"""Graphs of pipelines and runs: their layout, and the drawing as SVG."""
