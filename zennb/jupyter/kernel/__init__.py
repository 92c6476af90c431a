"""What zennb keeps in a kernel: the session, magics, completion, live displays, and the notebook's pipeline."""
