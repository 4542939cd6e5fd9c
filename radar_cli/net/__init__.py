"""The light HTTP client: one connection at a time, without a library beside a running job."""


class LinkError(Exception):
    """The server could not be reached, or what answered doesn't speak HTTP.

    `needs_person`: not before somebody has mended a setting; `is_setting`: it is one of this
    machine's, the same for all servers.
    """

    def __init__(
        self, message: str, *, needs_person: bool = False, is_setting: bool = False
    ) -> None:
        super().__init__(message)
        self.needs_person = needs_person or is_setting
        self.is_setting = is_setting


class Response:
    """A server's answer; header names are lowercase."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
