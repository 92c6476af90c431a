"""The commands: one tree that the line magics and the terminal share."""
