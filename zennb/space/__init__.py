"""Space: what artifact stores hold, and deleting what nobody needs."""
