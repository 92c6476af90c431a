"""Steps in other processes: what is sent, what is proven equal there, and what comes back."""
