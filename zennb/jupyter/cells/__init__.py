"""Step cells: from the text of a cell to a step, its execution by IPython, and its restored results."""
