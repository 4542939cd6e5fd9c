"""How the `radar` command begins: alone in its Python, and by the shortest way to the job."""
