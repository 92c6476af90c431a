"""The environment a step runs in: files, environment variables, settings and random generators."""
