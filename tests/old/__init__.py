"""Files that older releases left behind, and that every later radar has to take in."""
