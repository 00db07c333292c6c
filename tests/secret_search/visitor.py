"""A client of the API that has every answer searched, and a walk through every documented route."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp

from tests.secret_search.hunt import Hunt, core

Bodies = Mapping[str, Sequence[Any]]
SECRET_FIELDS = re.compile(r"password|token|apiKey", re.IGNORECASE)


class Visitor:
    """Searches each answer's headers and body; cookies, which are for the browser, are its own."""

    def __init__(self, session: aiohttp.ClientSession, hunt: Hunt) -> None:
        self._session, self._hunt = session, hunt
        self.statuses: dict[str, set[int]] = {}

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        route: str | None = None,
        **options: Any,
    ) -> tuple[int, Any]:
        """The status, and the JSON where it is some."""
        if raw is not None:
            options["data"] = raw
            options.setdefault("headers", {"Content-Type": "application/json"})
        elif body is not None:
            options["json"] = body
        name = f"{method} {route or path}"
        async with self._session.request(method, path, **options) as answer:
            headers = dict(answer.headers)
            if route != "/webhook":
                headers.pop("Set-Cookie", None)
            if answer.content_type == "text/event-stream":
                async with asyncio.timeout(5):
                    content = await answer.content.readany()
            else:
                content = await answer.read()
        self._hunt.search(f"answer {name}", f"{headers}\n".encode() + content)
        self.statuses.setdefault(name, set()).add(answer.status)
        is_json = "json" in answer.content_type and b"\n" not in content.strip()
        return answer.status, json.loads(content) if content and is_json else None


class Walk:
    """Through the routes of the OpenAPI document, each as it would be used, and as it would not.

    `bodies`: what a route that takes JSON is sent; a route without a line there is an error, so
    that a new one is not forgotten. `names` fills in a path's parameters.
    """

    def __init__(
        self, visitor: Visitor, hunt: Hunt, document: Any, bodies: Bodies, headers: Any = None
    ) -> None:
        self._visitor, self._hunt, self._bodies = visitor, hunt, bodies
        self._schemas = document["components"]["schemas"]
        self._headers = headers or {}
        self.routes = [
            (method.upper(), path, operation)
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
            if method != "parameters"
        ]

    async def go(
        self, names: Mapping[str, Any], wanted: Callable[[str, str], bool], *, bad: bool = True
    ) -> list[str]:
        """Ask the routes that are wanted; their names."""
        walked = []
        for method, path, operation in self.routes:
            if wanted(method, path):
                walked.append(f"{method} {path}")
                real = re.sub(r"\{(\w+)\}", lambda found: str(names[found[1]]), path)
                await self._ask(method, path, real, operation, bad=bad)
        return walked

    async def _ask(self, method: str, path: str, real: str, operation: Any, *, bad: bool) -> None:
        how = {"route": path, "headers": self._headers}
        json_body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        bodies = self._bodies[f"{method} {path}"] if "requestBody" in operation else [None]
        for body in bodies:
            if isinstance(body, bytes):
                kind = {"Content-Type": next(iter(operation["requestBody"]["content"]))}
                await self._visitor.ask(
                    method, real, raw=body, route=path, headers=self._headers | kind
                )
            else:
                await self._visitor.ask(method, real, body, **how)
        if not bad:
            return
        typed = self._hunt.secret(f"typed into {method} {path}", core())
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query":
                await self._visitor.ask(method, real, params={parameter["name"]: typed}, **how)
        if json_body is not None:
            for wrong in [
                typed,
                [typed],
                *self._wrong(json_body.get("schema", {}), bodies[0], typed),
            ]:
                await self._visitor.ask(method, real, wrong, **how)
            for broken in (b'{"password": "%s', b'{"a": %s}', b'{"token": "%s\xff"}', b"%s"):
                kind = {"Content-Type": "application/json"}
                await self._visitor.ask(
                    method,
                    real,
                    raw=broken % typed.encode(),
                    route=path,
                    headers=self._headers | kind,
                )

    def _wrong(self, schema: Any, good: Any, typed: str) -> list[Any]:
        """A good body with one field wrong: of another type, and what a secret must not be."""
        if not isinstance(good, dict) or "$ref" not in schema:
            return []
        properties = self._schemas[schema["$ref"].rpartition("/")[2]]["properties"]
        wrong: list[Any] = []
        for name, field in properties.items():
            values: list[Any] = [[typed]]
            if SECRET_FIELDS.search(name):
                values += [
                    typed[:5],
                    f"{typed} {typed}",
                    typed * 40,
                    f"{typed}\x00",
                    f"{typed}é\ud800",
                ]
            elif "enum" in json.dumps(field) or "string" not in json.dumps(field):
                values.append(typed)
            wrong += [{**good, name: value} for value in values]
        return wrong
