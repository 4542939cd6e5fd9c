"""The command's beginning."""
