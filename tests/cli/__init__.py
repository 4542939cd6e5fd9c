"""Tests of the commands that go through click."""
