"""Monitors as code: a file that declares them, and the plan that makes them so."""
