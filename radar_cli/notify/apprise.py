"""Every service that apprise knows as a channel; it comes with the extra `notify`."""

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from radar_cli.core.bounded import call_within
from radar_cli.core.extras import install_command
from radar_cli.notify.channel import ChannelError, Receipt, UnusableChannelError
from radar_cli.notify.excerpt import one_line
from radar_cli.notify.notice import Notice
from radar_cli.notify.wording import Wording, compose_text
from radar_cli.settings.channels import ChannelTable
from radar_cli.settings.keys import mask_url
from radar_cli.settings.profiles import Config
from radar_cli.settings.secrets import SecretError

if TYPE_CHECKING:
    from apprise import Apprise

_KINDS = {"down": "failure", "up": "success", "fault": "warning"}
_SECRET_FROM = 6  # characters: a shorter part of a URL is a word


class AppriseChannel:
    """Tells one or more services, each by its URL."""

    def __init__(self, table: ChannelTable, config: Config) -> None:
        self.table = table
        self._config = config

    @property
    def place(self) -> str:
        """The services, without what their URLs hold."""
        return ", ".join(map(mask_url, self.table.values["apprise"]))

    def send(self, notice: Notice, *, timeout_s: float) -> Receipt:
        """Tell all of the services. If one fails, a retry tells the others once more."""
        try:
            import apprise  # noqa: F401  (so that it is missed here, and not in a thread)
        except ImportError:
            message = "apprise is not installed"
            raise UnusableChannelError(message, install_command("notify")) from None
        failures: list[str] = []
        words = compose_text(notice, self.table, self._config)
        try:
            call_within(timeout_s, lambda: failures.extend(self._notify(notice, words)))
        except TimeoutError:
            raise ChannelError(f"{self.place}: not done within {timeout_s:g} s") from None
        except SecretError as error:
            raise UnusableChannelError(error.message, error.hint) from None
        if failures:
            raise ChannelError("; ".join(failures))
        return Receipt(f"{self.place} took it", words.remark)

    def _notify(self, notice: Notice, words: Wording) -> list[str]:
        """Tell each service, and return what went wrong."""
        lines = "\n".join(self.table.secrets("apprise", self._config)).split("\n")
        urls = [line.strip() for line in lines if line.strip()]
        with _listen() as logged:
            services = [_make(url) for url in urls]
            failures = []
            for url, service in zip(urls, services, strict=True):
                logged.truncate(logged.seek(0))
                is_told = service.notify(
                    words.text,
                    title=words.subject,
                    notify_type=_KINDS.get(notice.kind, "info"),
                    body_format="text",
                )
                if not is_told:
                    reason = _hide(one_line(logged.getvalue(), 200), url)
                    failures.append(f"{mask_url(url)}: {reason or 'not delivered'}")
        return failures


@contextmanager
def _listen() -> Iterator[io.StringIO]:
    """Catch what apprise logs: its warnings would land on stderr, secrets included."""
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    logger = logging.getLogger("apprise")
    logger.addHandler(handler)
    try:
        yield logged
    finally:
        logger.removeHandler(handler)


def _make(url: str) -> "Apprise":
    from apprise import Apprise, AppriseAsset

    service = Apprise(asset=AppriseAsset(app_id="radar", app_desc="radar", app_url=""))
    if not service.add(url):
        message = f"apprise can't make sense of {mask_url(url)}"
        raise UnusableChannelError(message, "its documentation lists the URLs of each service")
    return service


def _hide(logged: str, url: str) -> str:
    """Take the parts of the URL, which are tokens and passwords, out of what apprise said."""
    for part in re.split(r"[/:@?&=,]+", url):
        if len(part) >= _SECRET_FROM:
            logged = logged.replace(part, "…")
    return logged
