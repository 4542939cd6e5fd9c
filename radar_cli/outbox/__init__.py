"""Pings that are not (yet) at their destination, as files."""
