"""Asking a server of radar's kind: one connection, bounded in time, with errors for people."""

import json
import os
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from radar_cli import __version__
from radar_cli.core import exits
from radar_cli.core.bounded import call_within
from radar_cli.core.errors import ConfigError, RadarError
from radar_cli.core.text import printable
from radar_cli.core.urls import Url
from radar_cli.model.ping import unquote
from radar_cli.net import LinkError
from radar_cli.net.proxies import proxy_for
from radar_cli.net.tls import CaError, make_context
from radar_cli.settings.profiles import Profile


class UnreachableError(RadarError):
    """A server that can't be reached, or can't answer now."""

    slug = "unreachable"
    exit_code = exits.UNREACHABLE


class RefusedError(ConfigError):
    """A server that wants another key, or one that may do more."""

    slug = "refused"

    def __init__(self, message: str, hint: str, word: str) -> None:
        super().__init__(message, hint)
        self.word = word  # as the server calls it; "" if it isn't one of radar's


class WrongServerError(ConfigError):
    """Whatever answers there has no API of radar's."""

    slug = "wrong-server"


class AnswerError(RadarError):
    """A server that doesn't do what it was asked for: `status` and `word` say why."""

    slug = "answer"

    def __init__(self, status: int, word: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.word = word


_CONNECT_S = 5.0
_TOTAL_S = 30.0
_LATER = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Address:
    """A server's address, and how to be let in; `notes` say why a key isn't used."""

    server: str
    key: str = ""
    ca_file: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def find_address(profile: Profile) -> Address:
    """The server of a profile. SecretError: its key can't be had."""
    return Address(
        profile.server.rstrip("/"),
        profile.api_key(),
        profile.ca_file,
        profile.headers,
        tuple(profile.notes),
    )


class Connection:
    """A connection to a server's API, opened by its first request.

    UnreachableError, RefusedError, WrongServerError from every request; AnswerError for what the
    server has understood and doesn't do.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._ahead_us: int | None = None  # how far the server's clock is before ours, at least
        self._client: httpx.Client | None = None

    def close(self) -> None:
        """Close it."""
        if self._client is not None:
            self._client.close()

    def now_us(self) -> int:
        """Return the time by the server's clock, which judges (Unix time in microseconds).

        It is never ahead of it, and never behind what the server has already answered.
        """
        if self._ahead_us is None:
            self.get("/api/v1/status")
        return time.time_ns() // 1000 + (self._ahead_us or 0)

    def get(self, path: str, **query: Any) -> Any:
        """GET, with what isn't None in the query; the answer's JSON."""
        return self.request("GET", path, query={k: v for k, v in query.items() if v is not None})

    def request(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        content: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """The JSON that a request is answered with."""
        response = self._send(method, path, query or {}, content, headers or {})
        self._note_time(response)
        return self._read(response)

    def _send(
        self, method: str, path: str, query: dict[str, Any], content: Any, headers: dict[str, str]
    ) -> httpx.Response:
        answers: list[httpx.Response] = []
        server = self.address.server
        client = self._open()

        def send() -> None:
            url = server + path
            answers.append(client.request(method, url, params=query, json=content, headers=headers))

        try:
            # A name's look-up and a server that drips bytes know no time-out of httpx's.
            call_within(_TOTAL_S, send, client.close)
        except (TimeoutError, httpx.TimeoutException):
            raise _unreachable(server, "no answer in time") from None
        except httpx.InvalidURL as error:
            raise WrongServerError(f"{server}: {error}", "is the URL right?") from None
        except httpx.HTTPError as error:
            raise _explain(server, error) from None
        return answers[0]

    def _open(self) -> httpx.Client:
        if self._client is None:
            address = self.address
            headers = {"User-Agent": f"radar/{__version__}", **address.headers}
            if address.key:
                headers["Authorization"] = f"Bearer {address.key}"
            try:
                self._client = httpx.Client(
                    headers=headers,
                    # As pings go, and not as httpx reads the environment.
                    trust_env=False,
                    proxy=_find_proxy(Url(address.server)),
                    verify=make_context(address.ca_file, os.environ),
                    timeout=httpx.Timeout(_TOTAL_S, connect=_CONNECT_S),
                )
            except CaError as error:
                raise WrongServerError(str(error), "RADAR_CA_FILE or ca_file names it") from None
            except LinkError as error:
                raise WrongServerError(str(error)) from None
        return self._client

    def _note_time(self, response: httpx.Response) -> None:
        server_time = response.headers.get("radar-time", "")
        if server_time.isascii() and server_time.isdigit() and len(server_time) < 18:
            ahead_us = int(server_time) - time.time_ns() // 1000
            self._ahead_us = max(ahead_us, self._ahead_us or ahead_us)

    def _read(self, response: httpx.Response) -> Any:
        server, status = self.address.server, response.status_code
        if 300 <= status < 400:
            target = printable(response.headers.get("location", ""))[:200]
            raise WrongServerError(
                f"{server} has moved to {target}" if target else f"{server} answered {status}",
                "make that the server" if target else "is the URL right?",
            )
        try:
            content = json.loads(response.content)
        except ValueError:
            content = None
        fields = content if isinstance(content, dict) else {}
        message = printable(str(fields.get("message", "")))[:300]
        if status in (401, 403):
            text = f"{server} answered {status}" + (f": {message}" if message else "")
            hint = "; ".join((f"'radar login {server}' sets another key", *self.address.notes))
            word = str(fields.get("error", "")) if "radar-time" in response.headers else ""
            raise RefusedError(text, hint, word)
        if status in _LATER:
            raise _unreachable(server, f"answered {status}" + (f": {message}" if message else ""))
        is_of_radar = "radar-time" in response.headers and content is not None
        if not is_of_radar or (status >= 400 and "error" not in fields):
            raise WrongServerError(
                f"{server} answered {status}, and not as a server of radar's kind",
                "is the URL right?",
            )
        if status >= 400:
            raise AnswerError(status, str(fields["error"]), message)
        return content


def _find_proxy(url: Url) -> httpx.Proxy | None:
    proxy = proxy_for(url, os.environ)
    if proxy is None:
        return None
    user, _, password = unquote(proxy.userinfo).partition(":")
    return httpx.Proxy(proxy.text, auth=(user, password) if user else None)


def _explain(server: str, error: httpx.HTTPError) -> UnreachableError | WrongServerError:
    cause: BaseException | None = error
    while cause is not None:
        if type(cause).__name__ == "SSLCertVerificationError":
            reason = getattr(cause, "verify_message", "") or str(cause)
            return WrongServerError(
                f"{server}: its certificate is not valid: {reason}",
                "RADAR_CA_FILE or ca_file names certificates to trust",
            )
        cause = cause.__cause__ or cause.__context__
    return _unreachable(server, str(error) or type(error).__name__)


def _unreachable(server: str, why: str) -> UnreachableError:
    return UnreachableError(
        f"can't reach {server}: {why}", "is it up? --server '' is the store on this machine"
    )
