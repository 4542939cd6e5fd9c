"""Monitors wherever they are: in this machine's own store, or in that of a server."""
