#!python
"""The `radar` command, as pip, pipx and uv install it: see `radar_cli/launch/command.py`."""

import sys

if not sys.flags.safe_path:
    del sys.path[0]  # this script's folder: programs, and no modules
from radar_cli.launch.command import main

sys.exit(main())
