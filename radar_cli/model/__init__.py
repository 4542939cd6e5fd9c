"""Pings and what they declare: values and rules, without I/O."""
