"""A place where stop signals mean something, whoever started the tests."""

import sys

# As under a shell, radar's process group is no orphan, in which SIGTSTP would stop nobody. It
# isn't a shell, because bash leaves its loops, and ends, when a job of its own is stopped.
_PARENT = """
import os, sys
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, setpgroup=0)
os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 255)
"""
JOB_CONTROL = ("setsid", "--wait", sys.executable, "-c", _PARENT)
