"""Crontabs: the launcher that they call radar by."""
