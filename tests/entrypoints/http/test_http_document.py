"""The OpenAPI document: complete, as its file has it, with examples that are what they are of."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from entrypoints import openapi
from tests.entrypoints.http.conftest import Person

DOCUMENT: dict[str, Any] = json.loads(openapi.written())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation
    for item in DOCUMENT["paths"].values()
    for operation in item.values()
}
ERRORS = {
    "Bad Request",
    "Unauthorized",
    "Forbidden",
    "Not Found",
    "Conflict",
    "Content Too Large",
    "Unsupported Media Type",
    "Unprocessable Content",
    "Too Many Requests",
    "Internal Server Error",
    "Bad Gateway",
    "Service Unavailable",
}


def _validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    whole = {"allOf": [schema], "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def _contents(operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every body: whose it is (a status, or "request"), its media type, and what is said of it."""
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield "request", media_type, content
    for status, response in operation["responses"].items():
        name = response.get("$ref", "").rpartition("/")[2]
        told = DOCUMENT["components"]["responses"][name] if name else response
        for media_type, content in told.get("content", {}).items():
            yield status, media_type, content


def test_the_file_is_up_to_date() -> None:
    file = openapi.DOCUMENT
    assert file.read_text() == openapi.written(), f"{file} is out of date: run `make openapi`"


async def test_the_document_is_served_to_everybody(nobody: Person) -> None:
    answer = await nobody.get("/schema/openapi.json")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json"
    assert answer.json == DOCUMENT


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(DOCUMENT).validate()
    for reference in _references(DOCUMENT):
        found = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    for inner in part if isinstance(part, list) else ():
        yield from _references(inner)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_an_operation_is_told_whole(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"].startswith(operation["summary"].split()[0])
    assert {*operation["tags"]} <= {tag["name"] for tag in DOCUMENT["tags"]}
    assert operation["operationId"].isidentifier()
    assert operation["security"]
    for parameter in operation.get("parameters", ()):
        assert parameter["description"], parameter["name"]
        assert parameter["required"] is (parameter["in"] == "path")
        types = parameter["schema"].get("type") or parameter["schema"]["$ref"]
        assert types != "null"
        assert "oneOf" not in parameter["schema"]
    for status, media_type, content in _contents(operation):
        assert content["schema"], status
        if status == "request" or status < "300" or media_type == "application/problem+json":
            assert "example" in content or operation["operationId"] == "metrics", status
        if status >= "400" and status != "request" and operation["operationId"] != "ready":
            assert media_type == "application/problem+json"


def test_operation_ids_are_all_different() -> None:
    assert len(OPERATIONS) == sum(len(item) for item in DOCUMENT["paths"].values())


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_example_is_valid(operation: dict[str, Any]) -> None:
    for status, media_type, content in _contents(operation):
        if "example" in content:
            errors = [
                str(each) for each in _validator(content["schema"]).iter_errors(content["example"])
            ]
            assert errors == [], f"{status} {media_type}"
    for parameter in operation.get("parameters", ()):
        if "example" in parameter:
            assert _validator(parameter["schema"]).is_valid(parameter["example"])


def test_errors_are_problems_with_a_sentence() -> None:
    responses = DOCUMENT["components"]["responses"]
    assert {
        each["content"]["application/problem+json"]["example"]["title"]
        for each in responses.values()
    } == ERRORS
    for name in ("TooManyRequests", "ServiceUnavailable"):
        header = responses[name]["headers"]["Retry-After"]
        assert header["required"]
        assert header["schema"] == {"type": "integer", "minimum": 1}
    assert SCHEMAS["Problem"]["required"] == ["title", "status", "detail"]


@pytest.mark.parametrize(
    "name",
    [name for name, schema in SCHEMAS.items() if schema.get("additionalProperties") is not False],
)
def test_an_answer_has_all_of_its_fields(name: str) -> None:
    schema = SCHEMAS[name]
    if name == "Problem" or "properties" not in schema:
        return
    assert schema["required"] == list(schema["properties"])
    assert not [
        field for field, told in schema["properties"].items() if told.get("default", ...) is None
    ]


def test_a_form_tells_what_it_takes() -> None:
    form = SCHEMAS["NewBot"]
    assert form["required"] == ["name", "token"]
    assert form["additionalProperties"] is False
    fields = form["properties"]
    assert fields["temperature"]["anyOf"][0] == {"type": "number", "minimum": 0, "maximum": 2}
    assert fields["token"]["pattern"] == "^[0-9]{1,20}:[A-Za-z0-9_-]{1,100}$"
    assert fields["modelApi"]["default"] == "RESPONSES"
    assert {"type": "null"} in SCHEMAS["BotPatch"]["properties"]["model"]["anyOf"]
    assert "anyOf" not in SCHEMAS["BotPatch"]["properties"]["name"]
    assert SCHEMAS["NewUser"]["properties"]["email"]["format"] == "email"
    assert SCHEMAS["NewUser"]["properties"]["password"]["minLength"] == 8


def test_an_answer_tells_formats_and_what_may_be_null() -> None:
    bot = SCHEMAS["BotView"]["properties"]
    assert bot["createdAt"] == {"type": "string", "format": "date-time"}
    assert bot["ownerUserId"]["anyOf"] == [{"format": "uuid", "type": "string"}, {"type": "null"}]
    assert SCHEMAS["ChatView"]["properties"]["pausedAt"]["anyOf"][0]["format"] == "date-time"
    assert SCHEMAS["User"]["properties"]["id"]["format"] == "uuid"
    assert SCHEMAS["Stats"]["properties"]["from"]["format"] == "date"
    assert set(SCHEMAS["Status"]["enum"]) == {
        "RECEIVED",
        "PROCESSING",
        "COMPLETED",
        "FAILED",
        "TERMINAL",
    }
    assert SCHEMAS["JobView"]["properties"]["effect"]["anyOf"][0]["additionalProperties"] is True


def test_parameters_tell_their_bounds() -> None:
    for operation in OPERATIONS.values():
        for parameter in operation.get("parameters", ()):
            if parameter["name"] == "limit":
                told = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
                assert parameter["schema"] == told
    parameters = {
        each["name"]: each["schema"] for each in OPERATIONS["listProcessing"]["parameters"]
    }
    assert parameters["from"] == {"type": "string", "format": "date-time"}
    assert parameters["status"] == {"$ref": "#/components/schemas/Status"}
    (chat,) = OPERATIONS["getChat"]["parameters"]
    assert _validator(chat["schema"]).is_valid("3:-100:7")
    (user,) = OPERATIONS["changeUser"]["parameters"]
    assert user["schema"] == {"type": "string", "format": "uuid"}


@pytest.mark.parametrize(
    ("operation_id", "status", "media_type"),
    [
        ("streamEvents", "200", "text/event-stream"),
        ("exportChats", "200", "text/csv"),
        ("exportProcessing", "200", "text/csv"),
        ("getRecording", "200", "application/x-ndjson"),
        ("replay", "request", "application/x-ndjson"),
        ("metrics", "200", "text/plain"),
    ],
)
def test_other_media_types(operation_id: str, status: str, media_type: str) -> None:
    operation = OPERATIONS[operation_id]
    told = {given: content for whose, given, content in _contents(operation) if whose == status}
    assert list(told) == [media_type]
    assert told[media_type]["schema"]["type"] == "string"


def test_who_may_ask() -> None:
    both = [{"session": []}, {"apiKey": []}]
    assert OPERATIONS["listBots"]["security"] == both
    for operation_id in ("createApiKey", "changePassword"):
        assert OPERATIONS[operation_id]["security"] == [{"session": []}]
    for operation_id in ("login", "logout", "health", "ready", "metrics"):
        assert OPERATIONS[operation_id]["security"] == [{}]
    assert OPERATIONS["receiveUpdate"]["security"] == [{"webhookSecret": []}]
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert schemes["session"]["in"] == "cookie"
    assert (schemes["apiKey"]["type"], schemes["apiKey"]["scheme"]) == ("http", "bearer")
    assert schemes["webhookSecret"]["name"] == "x-telegram-bot-api-secret-token"
