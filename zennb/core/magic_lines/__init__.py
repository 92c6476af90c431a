"""IPython's magics and shell lines: what they read, bind and change."""
