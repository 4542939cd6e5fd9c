"""The beginning of the `radar` command: alone in its Python, by the shortest way to the job."""
