"""The leaf that every other room stands on; it imports nothing but the standard library."""
