"""Pings, and how they reach their destination; standard library only."""
