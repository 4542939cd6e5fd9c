"""The test suite, run against the installed wheel."""
