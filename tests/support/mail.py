"""A real SMTP server on loopback, which keeps what it takes."""

import asyncio
import ssl
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class MailServer:
    """Starts listening when made.

    With `users` it takes mail only from those who log in, with `tls` or `starttls` only over TLS.
    `refuse` has replies to RCPT by receiver; `reply` is the one to each whole mail.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        users: dict[str, str] | None = None,
    ) -> None:
        self._users = users
        self.refuse: dict[str, str] = {}
        self.reply = "250 OK"
        self.envelopes: list[Envelope] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

        def protocol() -> SMTP:
            return SMTP(
                self,
                hostname="mail.test",
                loop=self._loop,
                tls_context=starttls,
                require_starttls=starttls is not None,
                authenticator=self._authenticate,
                auth_required=users is not None,
                auth_require_tls=False,
            )

        starting = self._loop.create_server(protocol, "127.0.0.1", 0, ssl=tls)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def letters(self) -> list[EmailMessage]:
        """The mails that were taken, parsed."""
        return [parse_letter(envelope.original_content or b"") for envelope in self.envelopes]

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, login: object
    ) -> AuthResult:
        assert isinstance(login, LoginPassword)
        known = self._users or {}
        is_known = known.get(login.login.decode()) == login.password.decode()
        return AuthResult(success=is_known, handled=False)

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.reply.startswith("250"):
            self.envelopes.append(envelope)
        return self.reply

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def parse_letter(content: bytes) -> EmailMessage:
    letter = message_from_bytes(content, policy=policy.default)
    assert isinstance(letter, EmailMessage)
    return letter
