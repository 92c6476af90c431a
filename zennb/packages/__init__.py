"""Where modules come from and what is installed: origins, versions and entry points."""
