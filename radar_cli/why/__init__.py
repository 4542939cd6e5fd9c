"""Evidence: what keeps radar from watching over jobs."""
