"""Handing a mail to an SMTP server."""

import smtplib
import time
from collections.abc import Mapping
from contextlib import suppress
from email.message import EmailMessage
from typing import Any

from radar_cli.core.bounded import call_within
from radar_cli.net.tls import CaError, make_context
from radar_cli.notify.channel import ChannelError, UnusableChannelError
from radar_cli.notify.excerpt import one_line
from radar_cli.settings.channels import split_smtp

Refused = Mapping[str, tuple[int, bytes]]


class _Plain(smtplib.SMTP):
    """Keeps the reply to a mail, which tells under which name the server has it."""

    reply: tuple[int, bytes] = (250, b"")

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.reply = super().data(msg)
        return self.reply


class _Tls(smtplib.SMTP_SSL):
    """The same, by TLS from the first byte."""

    reply: tuple[int, bytes] = (250, b"")

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.reply = super().data(msg)
        return self.reply


class Conversation:
    """One conversation with the server of an smtp URL, bounded in time as a whole."""

    def __init__(
        self, url: str, password: str, ca_file: str, environ: Mapping[str, str], timeout_s: float
    ) -> None:
        self._scheme, self._user, self._host, self._port = split_smtp(url)
        self._password = password
        self._ca_file = ca_file
        self._environ = environ
        self._timeout_s = timeout_s
        self._smtp: _Plain | _Tls | None = None
        self._is_taken = False
        self._refused: Refused = {}

    def hand_over(self, letter: EmailMessage, sender: str, receivers: list[str]) -> str:
        """Send the mail, and return the server's answer to it.

        Raises ChannelError if it isn't taken for each of the receivers.
        """
        place = f"{self._host}:{self._port}"
        try:
            call_within(
                self._timeout_s, lambda: self._talk(letter, sender, receivers), self._hang_up
            )
        except TimeoutError:
            # Slow to say goodbye is no reason to send it twice.
            if not self._is_taken:
                raise ChannelError(f"{place}: not done within {self._timeout_s:g} s") from None
        except CaError as error:
            raise UnusableChannelError(str(error)) from None
        except smtplib.SMTPRecipientsRefused as error:
            self._refused = error.recipients
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError) as error:
            raise UnusableChannelError(f"{place}: {_describe(error)}") from None
        except UnicodeError:
            raise UnusableChannelError(f"{place}: user or password is not ASCII") from None
        except smtplib.SMTPResponseException as error:
            is_retriable = error.smtp_code < 500
            raise ChannelError(f"{place}: {_describe(error)}", is_retriable=is_retriable) from None
        except (smtplib.SMTPException, OSError) as error:
            raise ChannelError(f"{place}: {_describe(error)}") from None
        if self._refused:
            raise _refusal(self._refused)
        code, answer = self._smtp.reply if self._smtp is not None else (250, b"")
        return f"{place} answers {code} {_decode(answer)}".rstrip()

    def _talk(self, letter: EmailMessage, sender: str, receivers: list[str]) -> None:
        deadline = time.monotonic() + self._timeout_s
        context = make_context(self._ca_file, self._environ)
        if self._scheme == "smtps":
            smtp: _Plain | _Tls = _Tls(
                self._host, self._port, timeout=self._timeout_s, context=context
            )
        else:
            smtp = _Plain(self._host, self._port, timeout=self._timeout_s)
        self._smtp = smtp
        try:
            if self._scheme == "smtp+starttls":
                smtp.starttls(context=context)
            if self._user:
                smtp.login(self._user, self._password)
            if time.monotonic() < deadline:  # else nobody waits for it any more
                self._refused = smtp.send_message(letter, sender, receivers)
                self._is_taken = True
            with suppress(OSError, smtplib.SMTPException):
                smtp.putcmd("quit")
        finally:
            smtp.close()

    def _hang_up(self) -> None:
        if self._smtp is not None and self._smtp.sock is not None:
            self._smtp.sock.close()


def _refusal(refused: Refused) -> ChannelError:
    """The error for receivers that the server doesn't write to, or not now (a greylist, say)."""
    refusals = [f"{one_line(who)}: {code} {_decode(why)}" for who, (code, why) in refused.items()]
    is_retriable = any(code < 500 for code, _ in refused.values())
    return ChannelError("refused: " + "; ".join(refusals), is_retriable=is_retriable)


def _describe(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_decode(error.smtp_error)}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return one_line(str(error), 200) or type(error).__name__


def _decode(answer: bytes | str) -> str:
    return one_line(answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer, 200)
