"""`radar run`: launching, relaying and watching a job; standard library only."""
