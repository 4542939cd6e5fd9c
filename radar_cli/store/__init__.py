"""The embedded store: what this machine's jobs did, in SQLite."""
