"""The commands: one tree of verbs that the line magics and the terminal share."""
