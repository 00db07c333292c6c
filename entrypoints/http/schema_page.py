"""The OpenAPI document as a page for people: HTML without a script, made from the document alone.

Routes by tag, each folded until it is looked at; below them every body with its fields. A link to a
route opens it (browsers unfold what an address points into).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

Json = Mapping[str, Any]

_SCHEMAS = "#/components/schemas/"
_WORDS = {
    "minLength": "{} or more characters",
    "maxLength": "{} or fewer characters",
    "minimum": "{} or more",
    "maximum": "{} or less",
    "pattern": "matches <code>{}</code>",
    "default": "<code>{}</code> where it is left out",
}
_WHO = {
    "session": "a session",
    "apiKey": "an API key",
    "webhookSecret": "Telegram, by the webhook's secret",
}


def page(document: Json) -> str:
    """The whole page."""
    info = document["info"]
    operations = [
        (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    tags = {
        tag["name"]: (
            tag["description"],
            [each for each in operations if tag["name"] in each[2]["tags"]],
        )
        for tag in document["tags"]
    }
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(info["title"])}: the HTTP API</title>
<link rel="stylesheet" href="/schema/page.css">
</head>
<body>
<header>
<h1>{escape(info["title"])} <small>HTTP API {escape(info["version"])}</small></h1>
{_prose(info["description"])}
<p><a href="/schema/openapi.json">openapi.json</a>: this as OpenAPI 3.1, for tools.</p>
</header>
<nav aria-label="Routes">
{"".join(_contents(name, each) for name, (_, each) in tags.items())}
<h2><a href="#bodies">Bodies</a></h2>
</nav>
<main>
{"".join(_tag(document, name, *told) for name, told in tags.items())}
<section>
<h2 id="bodies">Bodies</h2>
{"".join(_schema(name, told) for name, told in document["components"]["schemas"].items())}
</section>
</main>
</body>
</html>
"""


def _contents(tag: str, operations: Iterable[tuple[str, str, Json]]) -> str:
    links = (
        f'<li><a href="#{told["operationId"]}">{_method(method)} {_path(path)}</a></li>'
        for method, path, told in operations
    )
    return f'<h2><a href="#{_anchor(tag)}">{escape(tag)}</a></h2>\n<ul>{"".join(links)}</ul>\n'


def _tag(
    document: Json, name: str, description: str, operations: Iterable[tuple[str, str, Json]]
) -> str:
    routes = "".join(_operation(document, *each) for each in operations)
    heading = f'<h2 id="{_anchor(name)}">{escape(name)}</h2>'
    return f"<section>\n{heading}\n{_prose(description)}{routes}</section>\n"


def _operation(document: Json, method: str, path: str, told: Json) -> str:
    names = [name for way in told["security"] for name in way]
    who = " or ".join(_WHO[name] for name in names) or "anybody"
    body = told.get("requestBody")
    asked = _part("The body", _bodies(body["content"])) if body is not None else ""
    return f"""<details class="route">
<summary>{_method(method)} <b>{_path(path)}</b> <span>{escape(told["summary"])}</span></summary>
<div id="{told["operationId"]}">
{_prose(told["description"])}
<p class="who">For {who}. <code>{told["operationId"]}</code></p>
{_part("Parameters", _parameters(told.get("parameters", ())))}
{asked}
{_part("Answers", "".join(_answers(document, told["responses"])))}
</div>
</details>
"""


def _part(title: str, content: str) -> str:
    return f"<h3>{title}</h3>\n{content}\n" if content else ""


def _parameters(parameters: Iterable[Json]) -> str:
    rows = (
        _row(
            f"<code>{escape(each['name'])}</code> <small>{each['in']}</small>",
            _type(each["schema"]),
            _prose(each["description"]) + _limits(each["schema"]),
        )
        for each in parameters
    )
    return _table(rows)


def _answers(document: Json, responses: Json) -> Iterator[str]:
    for status, response in responses.items():
        if "$ref" in response:
            name = response["$ref"].rpartition("/")[2]
            told = document["components"]["responses"][name]
            headers = "".join(f" <code>{each}</code>" for each in told.get("headers", ()))
            yield f'<p class="status"><b>{status}</b> {_inline(told["description"])}{headers}</p>'
        else:
            yield f'<p class="status"><b>{status}</b> {_inline(response["description"])}</p>'
            yield _bodies(response.get("content", {}))


def _bodies(contents: Json) -> str:
    return "".join(
        f"<p>{_type(content['schema'])} <small>{media_type}</small></p>\n{_example(content)}"
        for media_type, content in contents.items()
    )


def _example(content: Json) -> str:
    if "example" not in content:
        return ""
    shown = content["example"]
    text = shown if isinstance(shown, str) else json.dumps(shown, indent=2, ensure_ascii=False)
    return f'<pre tabindex="0">{escape(text.strip())}</pre>\n'


def _schema(name: str, told: Json) -> str:
    required = told.get("required", ())
    rows = (
        _row(
            f"<code>{escape(field)}</code>"
            + ("" if field in required else " <small>optional</small>"),
            _type(schema),
            _prose(schema.get("description", "")) + _limits(schema),
        )
        for field, schema in told.get("properties", {}).items()
    )
    values = ", ".join(f"<code>{escape(value)}</code>" for value in told.get("enum", ()))
    return f"""<details class="body">
<summary><b>{name}</b></summary>
<div id="{name}">
{_prose(told.get("description", ""))}{_table(rows)}{values}
</div>
</details>
"""


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_SCHEMAS)
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(way) for way in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    return escape(schema.get("format") or schema.get("type", "any JSON"))


def _limits(schema: Json) -> str:
    told = {key: value for way in (schema, *schema.get("anyOf", ())) for key, value in way.items()}
    words = [form.format(escape(str(told[key]))) for key, form in _WORDS.items() if key in told]
    return f"<small>{'; '.join(words)}</small>" if words else ""


def _table(rows: Iterable[str]) -> str:
    content = "".join(rows)
    return f"<table>{content}</table>" if content else ""


def _row(*cells: str) -> str:
    first, *rest = cells
    return f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>\n'


def _method(method: str) -> str:
    return f'<span class="method {method}">{method.upper()}</span>'


def _path(path: str) -> str:
    """A long one may break after each slash."""
    return f"<code>{escape(path).replace('/', '/<wbr>')}</code>"


def _anchor(tag: str) -> str:
    return "tag-" + tag.replace(" ", "-")


def _prose(text: str) -> str:
    paragraphs = filter(None, (part.strip() for part in text.split("\n\n")))
    return "".join(f"<p>{_inline(part)}</p>\n" for part in paragraphs)


def _inline(text: str) -> str:
    """Markdown's `code` and **strong**, which is all that docstrings have."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
