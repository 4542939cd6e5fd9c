"""The contract of `radar run`, each point with a real child process."""
