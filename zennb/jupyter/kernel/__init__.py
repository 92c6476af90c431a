"""The parts of a kernel session: the cells that run, magics, completion, live displays, and the notebook's pipeline."""
