"""The life of a model after it is registered: deploying it."""
