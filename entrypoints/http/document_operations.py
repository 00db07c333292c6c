"""The operations of the OpenAPI document: what Litestar leaves out of them, or tells wrongly."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from entrypoints.http.document_schemas import REFERENCE, short_name
from entrypoints.http.examples import example_of
from entrypoints.http.problems import MEDIA_TYPE, phrase

_LATER = frozenset({"429", "503"})
_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds after which to ask again",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
        "example": 2,
    }
}
_CHALLENGE = {
    "WWW-Authenticate": {
        "description": "How to show who asks; a browser's session needs none",
        "required": True,
        "schema": {"type": "string", "const": "Bearer"},
    }
}
_DOWNLOAD = {
    "Content-Disposition": {
        "description": "The file's name",
        "required": True,
        "schema": {"type": "string"},
    }
}
_DOWNLOADED = frozenset({"text/csv", "application/x-ndjson"})
_COOKIE = {"Set-Cookie": {"description": "The session's cookie", "schema": {"type": "string"}}}
_COOKIE_SETTERS = frozenset({"login", "logout", "getMe", "changePassword"})
_SENTENCE = re.compile(r"[.;:](?:\s|$)")


def mend(operation: dict[str, Any]) -> None:
    """Complete an operation in place."""
    sentence = _SENTENCE.split(operation["description"])[0]
    operation["summary"] = " ".join(sentence.split())
    del operation["deprecated"]
    parameters = [_parameter(given) for given in operation.get("parameters", ())]
    if parameters:
        operation["parameters"] = parameters
    body = operation.get("requestBody")
    if body is None and all(parameter["in"] == "path" for parameter in parameters):
        operation["responses"].pop("400", None)  # a malformed id is 404: no route takes it
    if body is not None:
        _mend_content(body["content"])
    for status, response in operation["responses"].items():
        _mend_response(status, response, operation["operationId"] in _COOKIE_SETTERS)


def _parameter(given: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out, but is never null."""
    schema = given["schema"]
    described = {key: schema[key] for key in schema.keys() - {"oneOf", "description"}}
    for way in schema.get("oneOf", ()):
        if way.get("type") != "null":
            described |= _with_short_names(way)
    for bound in ("minimum", "maximum"):
        if bound in described:
            described[bound] = int(described[bound])
    told: Iterable[str] = ("name", "in", "description", "required")
    kept = {key: given[key] for key in told if key in given}
    for example in described.pop("examples", ()):
        kept["example"] = example
    return kept | {"schema": dict(sorted(described.items()))}


def _mend_response(status: str, response: dict[str, Any], setter: bool) -> None:
    content = response.get("content", {})
    if status in _LATER and MEDIA_TYPE in content:
        response["headers"] = _RETRY_AFTER
    if status == "401" and MEDIA_TYPE in content:
        response["headers"] = _CHALLENGE
    if _DOWNLOADED & content.keys():
        response["headers"] = _DOWNLOAD
    if setter and status < "300":
        response["headers"] = _COOKIE
    if response["description"] == HTTPStatus(int(status)).description:  # Litestar's own
        response["description"] = phrase(int(status))
    if not response.get("headers"):
        response.pop("headers", None)
    if all(each["schema"].get("type") == "null" for each in content.values()):
        response.pop("content", None)
    _mend_content(content)
    if status >= "400" and MEDIA_TYPE not in content:  # the same body as of a success
        for media in content.values():
            media.pop("example", None)


def share_errors(responses: dict[str, Any], errors: dict[str, Any]) -> None:
    """Errors of one status are the same everywhere: they stand once, under the status' name."""
    for status, response in responses.items():
        if MEDIA_TYPE in response.get("content", ()):
            name = phrase(int(status)).title().replace(" ", "")
            errors[name] = response
            responses[status] = {"$ref": f"#/components/responses/{name}"}


def _mend_content(content: dict[str, Any]) -> None:
    """Bodies by their names in the document, with an example each."""
    for media in content.values():
        media["schema"] = schema = _with_short_names(media["schema"])
        if "examples" in media:
            ((_, shown),) = media.pop("examples").items()
            media["example"] = shown["value"]
        elif "$ref" in schema:
            media["example"] = example_of(schema["$ref"].removeprefix(REFERENCE))


def _with_short_names(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    return {"$ref": REFERENCE + short_name(schema["$ref"].removeprefix(REFERENCE))}
