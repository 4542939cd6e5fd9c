"""Where the `radar` command begins: the fast commands go past click."""

import sys


def main() -> int:
    """Run the command line in `sys.argv` and return its exit code."""
    words = sys.argv[1:]
    if words[:1] == ["run"]:
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


if __name__ == "__main__":
    sys.exit(main())
