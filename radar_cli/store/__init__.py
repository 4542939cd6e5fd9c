"""The store: monitors and all that is known of them, in SQLite or PostgreSQL."""
