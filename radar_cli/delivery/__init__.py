"""Taking pings to their destinations."""
