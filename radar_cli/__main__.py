"""`python -m radar_cli`: the same as `radar`."""

import sys

from radar_cli.launch.command import main

if __name__ == "__main__":
    sys.exit(main())
