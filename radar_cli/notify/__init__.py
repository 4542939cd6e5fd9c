"""Telling people: what a notice says, and the channels that carry it."""
