"""The HTTP client that takes pings to a server."""
