"""The notebook's face: step cells, magics, completion, live displays. Only here is IPython imported."""
