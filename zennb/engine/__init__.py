"""The engine: resolve a step, decide on reuse, execute it anywhere, store its outputs, and run pipelines."""
