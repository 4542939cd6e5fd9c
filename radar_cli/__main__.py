"""Where the `radar` command begins: the fast commands go past click."""

import gc
import sys

# So many new objects, net, before the collector looks for cycles: imports make thousands, and none.
_GARBAGE_OBJECTS = 50_000


def main() -> int:
    """Run the command line in `sys.argv` and return its exit code."""
    gc.set_threshold(_GARBAGE_OBJECTS, *gc.get_threshold()[1:])
    _trust_no_foreign_modules()
    words = sys.argv[1:]
    if words[:1] == ["run"]:
        from radar_cli import ahead

        ahead.load(ahead.BEFORE_THE_JOB)
        from radar_cli.wrap.run import run

        return run(words[1:])
    if words[:1] == ["ping"]:
        from radar_cli.pings.command import ping

        return ping(words[1:])
    if words[:2] == ["celery", "alive"]:
        from radar_cli.celery.alive import alive

        return alive(words[2:])
    if words[:2] == ["completion", "words"]:
        from radar_cli.completion.words import print_words

        return print_words(words[2:])
    from radar_cli.cli.app import main as click_main

    return click_main(words)


def _trust_no_foreign_modules() -> None:
    """Look in PYTHONPATH and the current directory last: they are the job's.

    An application's `resource.py` or `click` there would be imported in place of the real one.
    """
    standard = getattr(sys, "_stdlib_dir", None)
    if standard in sys.path:
        at = sys.path.index(standard)
        sys.path[:] = sys.path[at:] + sys.path[:at]


if __name__ == "__main__":
    sys.exit(main())
