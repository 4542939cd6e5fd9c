"""`radar monitors`: what is expected of jobs, seen and changed by people."""
