"""The notebook's face: step cells, magics, completion and live displays inside a kernel. Only here is IPython imported."""
