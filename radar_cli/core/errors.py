"""The one kind of error that a person is meant to read."""

from radar_cli.core import exits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from radar_cli.core.shapes import ErrorFields


class RadarError(Exception):
    """An expected error: a message that names the value, and a hint.

    `slug` is its stable name in kebab-case: `--json` prints it, docs/reference/errors.md lists it.
    """

    slug = "error"
    exit_code = exits.USAGE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def line(self) -> str:
        """Message and hint, on one line."""
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def describe(self) -> "ErrorFields":
        """The error for programs."""
        return {"slug": self.slug, "message": self.message, "hint": self.hint}


class UsageError(RadarError):
    """A command line that can't be understood."""

    slug = "usage"


class BadValueError(ValueError):
    """A value that can't be read; `hint` is what could be."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}: {hint}" if hint else message)
        self.message = message
        self.hint = hint

    def as_usage_error(self, option: str = "") -> UsageError:
        """The same as an error of the command line, of this option's value."""
        return UsageError(f"{option}: {self.message}" if option else self.message, self.hint)


class NotInstalledError(UsageError):
    """A part of radar that is installed apart."""

    slug = "not-installed"


class ConfigError(RadarError):
    """A config file or a setting that can't be used."""

    slug = "config"


class StateError(RadarError):
    """The state directory, or a file in it, can't be used."""

    slug = "state"


class DeliveryError(RadarError):
    """A ping did not reach its destination."""

    slug = "delivery"
    exit_code = exits.UNREACHABLE
