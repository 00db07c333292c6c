"""The search finds what it is to find, or the test that relies on it shows nothing."""

import base64
import json
import string
import zlib
from random import Random
from urllib.parse import quote

import pytest

from tests.secret_search.hunt import Hunt, core


@pytest.mark.parametrize("before", ["", "a", "ab", "token: "])
@pytest.mark.parametrize("secret", [core(), "a-session-id_of-the.systems-own-making"])
def test_a_secret_is_found_in_every_form(before: str, secret: str) -> None:
    hunt = Hunt()
    hunt.secret("s", secret)
    text = f"{before}{secret}!"
    forms: dict[str, bytes | str] = {
        "plain": text,
        "part": secret[3:35],
        "url": quote(text, safe=""),
        "json": json.dumps({"x": text}),
        "base64": base64.b64encode(text.encode()),
        "base64url": base64.urlsafe_b64encode(text.encode()),
        "hex": text.encode().hex(),
        "deflated": zlib.compress(text.encode()),
    }
    for place, content in forms.items():
        hunt.search(place, content)
    assert {place.removesuffix(" (inflated)") for _, place in hunt.found} == set(forms)


def test_nothing_is_found_where_there_is_nothing() -> None:
    hunt = Hunt()
    for number in range(50):
        hunt.secret(f"s{number}", core(), "its home")
    others = Random(1)
    hunt.search("elsewhere", "".join(others.choices(string.printable, k=1_000_000)))
    hunt.search("its home", core(100))
    assert [name for name, _ in hunt.found] == ["one of them"]


def test_a_secret_may_stand_at_home() -> None:
    hunt = Hunt()
    secret = hunt.secret("s", core(), "answer POST /api/api-keys")
    hunt.search("answer POST /api/api-keys 201", secret)
    assert hunt.found == {}
    hunt.search("answer GET /api/api-keys 200", secret)
    assert [place for _, place in hunt.found] == ["answer GET /api/api-keys 200"]
