"""What may go wrong between a command and a server."""

from radar_cli.core import exits
from radar_cli.core.errors import ConfigError, RadarError


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
    """What answers there has no API of radar's."""

    slug = "wrong-server"


class AnswerError(RadarError):
    """A server that doesn't do what it was asked for: `status` and `word` say why."""

    slug = "answer"

    def __init__(self, status: int, word: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.word = word
