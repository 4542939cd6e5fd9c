"""Tests of the settings: where they come from, which one wins, how they are edited."""
