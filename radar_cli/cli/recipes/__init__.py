"""Recipes: files to put into a project or onto a machine, filled in."""
