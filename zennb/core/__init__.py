"""The pure heart: what code reads and binds, what values digest to, what a step is known by."""
