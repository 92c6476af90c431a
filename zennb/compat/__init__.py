"""Private names of other libraries, each fetched in one place, with a public way for when it is gone."""
