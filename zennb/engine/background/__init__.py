"""Runs in a process of their own: they leave the kernel free, and go on when it and the browser end."""
