"""How fast zennb is beside the bare disk and beside others that remember results: `make bench`."""
