"""The errors that routes answer, for `/openapi.json`."""

from typing import Any

from radar_cli.server.models import ErrorAnswer

_WORDS = {
    400: "It can't be understood.",
    401: "There is no key with it, or a wrong one.",
    403: "The key is too narrow.",
    404: "There is no such monitor, or nothing of that name.",
    408: "The body doesn't come.",
    409: "There is a monitor of that key, or a ping of that id, already.",
    412: "The monitor is not any more what If-Match says.",
    413: "The body is too long.",
    422: "A value is out of bounds.",
    429: "There are too many requests; Retry-After says when to come again.",
    431: "The head of the request is too long.",
    503: "The database can't be used.",
}
_ALWAYS = (400, 401, 403, 408, 413, 422, 429, 431, 503)


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route's `responses` are: these, and what every route with a key may answer."""
    return {
        status: {"model": ErrorAnswer, "description": _WORDS[status]}
        for status in sorted({*_ALWAYS, *statuses})
    }


def errors_beside_text(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same for a route that answers with text: its errors are JSON all the same."""
    schema = {"$ref": f"#/components/schemas/{ErrorAnswer.__name__}"}
    return {
        status: {
            "description": answer["description"],
            "content": {"application/json": {"schema": schema}},
        }
        for status, answer in errors(*statuses).items()
    }
