#!python
"""The `radar` command, as it is installed: see `radar_cli.__main__`."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # this script's folder: programs, and no modules
from radar_cli.__main__ import main

sys.exit(main())
