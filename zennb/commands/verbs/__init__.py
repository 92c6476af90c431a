"""The commands themselves, one module each: their verbs, and what these do."""
