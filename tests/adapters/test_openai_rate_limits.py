"""The x-ratelimit-* headers, in the forms that OpenAI and others write them."""

import pytest

from adapters.openai_rate_limits import duration, rate_limits
from application.meter import RateLimit


def test_both_limits_are_read() -> None:
    told = rate_limits(
        [
            (b"content-type", b"application/json"),
            (b"x-ratelimit-limit-requests", b"500"),
            (b"x-ratelimit-remaining-requests", b"499"),
            (b"X-RateLimit-Reset-Requests", b"120ms"),
            (b"x-ratelimit-remaining-tokens", b"199970"),
            (b"x-ratelimit-reset-tokens", b"6m0s"),
        ]
    )
    assert list(told) == [RateLimit("requests", 499, 0.12), RateLimit("tokens", 199970, 360)]


def test_what_is_not_told_or_makes_no_sense_is_left_out() -> None:
    assert list(rate_limits([(b"date", b"today"), (b"x-ratelimit-limit-tokens", b"5")])) == []
    nonsense = [(b"x-ratelimit-remaining-tokens", b"\xff"), (b"x-ratelimit-reset-tokens", b"soon")]
    assert list(rate_limits(nonsense)) == []
    only = [(b"x-ratelimit-remaining-tokens", b"12")]
    assert list(rate_limits(only)) == [RateLimit("tokens", 12, None)]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("6m0s", 360), ("120ms", 0.12), ("1h2m3.5s", 3723.5), ("3", 3), ("7.66s", 7.66)],
)
def test_a_duration(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)
