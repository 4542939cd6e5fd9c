"""What the tests start, watch and take down: processes, terminals, servers, daemons."""
