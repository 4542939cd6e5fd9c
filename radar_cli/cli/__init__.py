"""The commands that go through click."""
