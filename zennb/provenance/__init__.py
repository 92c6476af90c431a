"""Where the variables of a notebook come from, worked out by reading its cells instead of running them."""
