"""Health, metrics, and the document that describes the API."""

import time
from typing import Any

from tests.entrypoints.http.conftest import Person, Run, make_bot
from tests.entrypoints.http.rows import keep_chat, keep_message


async def test_health(nobody: Person) -> None:
    answer = await nobody.get("/health")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


async def test_no_answer_waits_for_a_delayed_acknowledgement(nobody: Person) -> None:
    taken = []
    for _ in range(10):
        began = time.perf_counter()
        await nobody.get("/health")
        taken.append(time.perf_counter() - began)
    assert min(taken[1:]) < 0.02  # 0.04 where TCP_NODELAY is not set


async def test_ready(nobody: Person) -> None:
    answer = await nobody.get("/health/ready")
    assert answer.status == 200
    assert answer.json["status"] == "ok"
    assert answer.json["parts"] == {"postgres": "ok", "migrations": "ok", "valkey": "ok"}
    assert answer.json["queueAgeSeconds"] >= 0


async def test_metrics(nobody: Person) -> None:
    answer = await nobody.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "python_info" in answer.json


async def test_the_document_describes_every_answer(admin: Person, sql: Run) -> None:
    answer = await admin.get("/schema/openapi.json")
    assert answer.status == 200
    document = answer.json
    assert document["openapi"].startswith("3.1")
    assert "://" not in str(document["paths"])
    bot = await make_bot(admin)
    chat = await keep_chat(sql, bot["id"], 3)
    message = await keep_message(sql, chat, "x", "TERMINAL")
    await sql(
        "INSERT INTO journal (key, at, id, turn_id, from_state, event, effects, state)"
        " VALUES (:key, now(), 'x', :turn, '{}', '{}', '[]', '')",
        key=chat,
        turn=message,
    )
    values = {"bot_id": bot["id"], "chat_id": chat, "processing_id": message}
    bodies: dict[tuple[str, str], Any] = {
        ("patch", "/api/bots/{bot_id}"): {"name": "Described"},
        ("put", "/api/settings"): {"retention.jobLogDays": 7},
    }
    asked = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            readable = method == "get" or (method, path) in bodies or path.endswith("able")
            if not readable or path == "/api/events":  # a stream without end
                continue
            filled = path.format(**values)
            answer = await admin.ask(method.upper(), filled, bodies.get((method, path)))
            described = operation["responses"][str(answer.status)]["content"]
            media_type, content = next(iter(described.items()))
            assert answer.headers["content-type"].startswith(media_type), path
            _check(document, content["schema"], answer.json, path)
            asked += 1
    assert asked >= 15
    for path, method, status in [
        ("/api/bots/{bot_id}", "get", "404"),
        ("/api/bots", "post", "422"),
        ("/api/auth/login", "post", "429"),
    ]:
        content = document["paths"][path][method]["responses"][status]["content"]
        assert list(content) == ["application/problem+json"]


async def test_the_document_needs_no_session_and_fetches_nothing(nobody: Person) -> None:
    for path in ("/schema", "/schema/openapi.json"):
        answer = await nobody.get(path)
        assert answer.status == 200
        assert "json" in answer.headers["content-type"]


def _check(document: dict[str, Any], schema: dict[str, Any], value: Any, at: str) -> None:
    """A value against the parts of JSON Schema that the document uses."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "oneOf" in schema:
        errors = []
        for way in schema["oneOf"]:
            try:
                _check(document, way, value, at)
                return
            except AssertionError as error:
                errors.append(str(error))
        raise AssertionError(f"{at}: {errors}")
    kinds = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "null": type(None),
        "number": (int, float),
        "boolean": bool,
    }
    if "type" in schema:
        assert isinstance(value, kinds[schema["type"]]), f"{at}: {value!r} is no {schema['type']}"
    if "enum" in schema:
        assert value in schema["enum"], at
    if isinstance(value, dict) and "properties" in schema:
        assert set(value) == set(schema["properties"]), at
        for name, inner in schema["properties"].items():
            _check(document, inner, value[name], f"{at}.{name}")
    if isinstance(value, list):
        for item in value:
            _check(document, schema["items"], item, f"{at}[]")
