"""The engine: prepare a step, decide, perform it anywhere, keep what it made, and the loop that runs a pipeline."""
