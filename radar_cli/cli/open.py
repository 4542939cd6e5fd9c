"""`radar open`: a monitor's page, in the browser or as a URL."""

import os
import sys
from typing import TypedDict

import click

from radar_cli.cli.answers import answers
from radar_cli.cli.choosing import choose
from radar_cli.cli.opening import open_monitors
from radar_cli.cli.options import Session, common_options, pass_session
from radar_cli.cli.render import Result, is_terminal
from radar_cli.core.errors import UsageError

_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


class PageFields(TypedDict):
    """The page of a monitor, or of all of them."""

    url: str


@click.command(name="open")
@click.argument("keys", metavar="[MONITOR]", nargs=-1)
@click.option("--url", "is_printed", is_flag=True, help="Just print the URL.")
@common_options
@answers(PageFields)
@pass_session
def command(session: Session, keys: tuple[str, ...], is_printed: bool) -> Result:
    """Show a monitor's page on the server in the browser, or the page of all of them.

    Where there is no browser, or stdout is a pipe, the URL is printed instead.
    """
    if len(keys) > 1:
        raise UsageError("one page at a time", "give one monitor")
    profile = session.load_profile()
    if not profile.server:
        raise UsageError(
            "there is no server that has pages", "'radar server' serves the store on this machine"
        )
    if profile.protocol != "radar":
        raise UsageError(f"{profile.server} isn't a server of radar's kind")
    url = profile.server.rstrip("/") + "/"
    if keys:
        with open_monitors(session) as opened:
            (known,) = choose(opened.store, keys)
        url += f"monitors/{known.key}"  # a key needs no quoting
    is_opened = not is_printed and session.format != "json" and _has_browser() and _browse(url)
    return Result(PageFields(url=url), text=f"{url} is shown in the browser" if is_opened else url)


def _has_browser() -> bool:
    if not is_terminal(sys.stdout):
        return False
    return sys.platform == "darwin" or any(os.environ.get(name) for name in _DISPLAYS)


def _browse(url: str) -> bool:
    import webbrowser

    return webbrowser.open(url)
