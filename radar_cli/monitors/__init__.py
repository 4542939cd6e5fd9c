"""Monitors and their runs, as pure functions of pings: no I/O, and `now` is an argument."""
