"""One module for each protocol that servers speak."""
