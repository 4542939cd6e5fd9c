"""Requests to `/ping/…`: read, refused or stored, and answered."""
