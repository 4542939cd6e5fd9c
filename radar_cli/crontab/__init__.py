"""Crontabs and timers: found, judged, with radar put in front of their jobs."""
