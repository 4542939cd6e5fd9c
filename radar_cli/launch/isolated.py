"""The script of radar's new start in an isolated Python: see `radar_cli/launch/command.py`.

Its arguments are the signal mask to restore, the folders of radar and what it needs, `--`, and
those that radar was started with, its own name first.
"""

import sys

_end = sys.argv.index("--")
_mask = sys.argv[1]
sys.path += sys.argv[2:_end]
del sys.argv[: _end + 1]
from radar_cli.launch.command import main  # noqa: E402  (its folder is known only now)

sys.exit(main(_mask))
