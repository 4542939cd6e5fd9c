"""The ping routes in `/openapi.json`: they are served beside FastAPI, which doesn't know them."""

from typing import Any

from fastapi import FastAPI

from radar_cli.server.runtime.answers import errors

_METHODS = ("get", "head", "post", "put")
# Path: what it reports.
_PATHS = {
    "/ping/{monitor}": "a success",
    "/ping/{monitor}/start": "that a run has begun",
    "/ping/{monitor}/complete": "that a run succeeded",
    "/ping/{monitor}/success": "that a run succeeded",
    "/ping/{monitor}/fail": "that a run failed",
    "/ping/{monitor}/log": "something worth keeping",
    "/ping/{monitor}/{what}": "an exit code from 0 to 255, or a success with the key in the path",
    "/ping/{monitor}/{api_key}/{what}": "what happened, with the key in the path",
}
_QUERY = {
    "schedule": "When the job runs; makes an unknown monitor.",
    "every": "How often it runs, if not by a schedule: seconds, or as in 1h30m.",
    "tz": "Timezone of the schedule.",
    "gracePeriod": "How late a run may be: seconds, or as in 10m.",
    "max_runtime": "A run that takes longer is hung: seconds, or as in 2h.",
    "hosts": "How many machines serve each slot: any, each or a number.",
    "extend": "With a log: the run that goes on isn't hung for so long from now on.",
    "name": "The monitor's name for people.",
    "tags": "Its tags, separated by spaces.",
    "create": "1: make an unknown monitor, expected every day with an hour of grace.",
    "rid": "The run's id, a UUID.",
    "id": "The ping's own id: it counts once, however often it arrives.",
    "ts": "When it happened, Unix time in seconds.",
    "sent": "When it was sent, by the same clock.",
    "duration": "The run's, in seconds.",
    "exit": "The job's exit code; without an id it must agree with the path.",
    "signal": "The signal that ended it.",
    "message": "A line for people.",
    "url": "A link to go with the run, as to a CI job.",
    "host": "The machine.",
}
_REFUSALS = (400, 401, 403, 404, 408, 409, 429, 431, 503)


def describe_pings(api: FastAPI) -> None:
    """Have the schema of `api` hold the ping routes, too."""
    plain = api.openapi

    def with_pings() -> dict[str, Any]:
        schema = plain()
        for path, reported in _PATHS.items():
            schema["paths"].setdefault(path, _describe(path, reported))
        schema.setdefault("components", {})["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "basic": {
                "type": "http",
                "scheme": "basic",
                "description": "The key as the user, with an empty password.",
            },
        }
        schema["security"] = [{"bearer": []}, {"basic": []}]
        return schema

    api.openapi = with_pings  # type: ignore[method-assign]  # as FastAPI's manual has it


def _describe(path: str, reported: str) -> dict[str, Any]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return {
        "parameters": [
            *({"name": name, "in": "path", "required": True, **_TEXT} for name in names),
            *(
                {"name": name, "in": "query", "description": words, **_TEXT}
                for name, words in _QUERY.items()
            ),
        ],
        **{method: _operation(method, path, reported) for method in _METHODS},
    }


def _operation(method: str, path: str, reported: str) -> dict[str, Any]:
    name = "".join(letter if letter.isalpha() else "_" for letter in path)
    refusals = {
        str(status): {"description": answer["description"], **_CONTENT}
        for status, answer in errors(*_REFUSALS).items()
        if status in _REFUSALS
    }
    body = {
        "requestBody": {
            "description": "The output; the end of it is kept (`Ping-Body-Limit`).",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    }
    return {
        "tags": ["pings"],
        "operationId": f"{method}{name}",
        "summary": f"Report {reported}",
        "description": "`monitor` is a monitor's key, or its secret token, which needs no key.",
        **(body if method in ("post", "put") else {}),
        "responses": {
            "200": {
                "description": "It is stored.",
                "headers": {"Ping-Body-Limit": {"schema": {"type": "integer"}}},
                "content": {"application/json": {"schema": _STORED}},
            },
            **refusals,
        },
    }


_TEXT = {"schema": {"type": "string"}}
_CONTENT = {
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
}
_STORED = {
    "type": "object",
    "required": ["status", "monitor"],
    "properties": {
        "status": {"type": "string", "enum": ["ok", "started", "completed", "failed", "logged"]},
        "monitor": {"type": "string"},
        "duration": {"type": "number"},
        "warnings": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What of the query was not understood, and ignored; and what of its"
            " declaration can't be read: that is kept as a fault.",
        },
    },
}
