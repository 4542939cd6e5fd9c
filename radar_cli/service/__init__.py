"""Use cases that commands and the server share: taking pings in, looking, notices, metrics."""
