#!python
"""The `radar` command, as it is installed: see `radar_cli/__init__.py`."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # this script's folder: programs, and no modules
from radar_cli import main

sys.exit(main())
