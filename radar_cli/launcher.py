#!python
"""The `radar` command, as it is installed: see `radar_cli.__main__`."""

import sys

from radar_cli.__main__ import main

sys.exit(main())
