"""Steps in other processes: what is sent to a worker, what it verifies, and what comes back."""
