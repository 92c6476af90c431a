"""Results of other people: their records beside the blobs of a store that several people reach, and what to trust."""
