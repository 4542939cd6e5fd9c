"""What every other room stands on; it imports nothing but the standard library."""
