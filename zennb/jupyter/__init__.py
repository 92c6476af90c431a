"""The notebook: step cells, magics, completion, live displays and panels. Only this package imports IPython."""
