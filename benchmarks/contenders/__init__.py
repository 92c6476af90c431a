"""One module per contender; each offers the pieces of work it can do, as functions of one name."""
