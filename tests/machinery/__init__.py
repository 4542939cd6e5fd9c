"""Tests of the test machinery: a silent fault in it would make other tests vacuous."""
