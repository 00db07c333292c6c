"""Which texts hold a code."""

import pytest

from domain.alert_link import ALPHABET, spoken_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("/link ACDEFGHJ", "ACDEFGHJ"),
        ("/start ACDEFGHJ", "ACDEFGHJ"),
        ("/link@alerts_bot acdefghj ", "ACDEFGHJ"),
        ("/LINK ACDEFGHJ", None),
        ("/link\nKMNPQRTV", "KMNPQRTV"),
        ("/link", None),
        ("/start", None),
        ("/link ACDEFGH", None),
        ("/link ACDEFGHJK", None),
        ("/link ACDEFGH0", None),
        ("/link ACDEFGHJ and more", None),
        ("/linked ACDEFGHJ", None),
        ("please /link ACDEFGHJ", None),
        ("ACDEFGHJ", None),
        ("", None),
        (None, None),
    ],
)
def test_spoken_code(text: str | None, code: str | None) -> None:
    assert spoken_code(text) == code


def test_no_two_characters_look_alike() -> None:
    for alike in ("0OQ", "1IL", "2Z", "5S", "8B", "UV"):
        assert len(set(alike) & set(ALPHABET)) <= 1
