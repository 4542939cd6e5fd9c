"""The exit codes of radar's own commands, each different in what it makes you do."""

OK = 0
BAD = 1  # the answer is bad: something is late or down (as grep says "not found")
USAGE = 2  # you must edit something: an argument, a config file
UNREACHABLE = 3  # a server or broker could not be reached
BUG = 70  # EX_SOFTWARE in sysexits.h
INTERRUPTED = 130

# `radar run` has the codes of coreutils' env, nice and timeout.
TEMPFAIL = 75  # EX_TEMPFAIL in sysexits.h: --lock fail, and another run holds the lock
TIMEOUT = 124
RUN_USAGE = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127
