"""Labels stay few and hold no secret; what failed is not timed."""

import pytest
from prometheus_client import REGISTRY

from adapters.prometheus_meter import MOST_NAMES, PrometheusMeter
from application.meter import Answer, Loop, RateLimit, Stage, answer_of


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_server_is_named_by_its_host() -> None:
    meter, labels = PrometheusMeter(), {"server": "models.example:8443", "answer": "ok"}
    meter.model("https://user:secret@models.example:8443/v1", Answer.OK)
    assert value("kotodom_model_requests_total", **labels) == 1


def test_past_a_hundred_models_all_others_are_one() -> None:
    meter = PrometheusMeter()
    for number in range(MOST_NAMES + 5):
        meter.model_used(f"model {number}", 1, None, None)
    meter.model_used("model 1", 1, None, None)
    tokens = "kotodom_model_tokens_total"
    assert value(tokens, model="model 1", direction="input") == 2
    assert value(tokens, model="other", direction="input") == 5
    assert value(tokens, model=f"model {MOST_NAMES}", direction="input") == 0


def test_what_is_not_told_of_a_limit_is_not_set() -> None:
    meter, url = PrometheusMeter(), "http://silent.example"
    meter.model_limit(url, "m", RateLimit("tokens", 7.0, None))
    labels = {"server": "silent.example", "model": "m", "limit": "tokens"}
    assert value("kotodom_model_ratelimit_remaining", **labels) == 7
    reset = "kotodom_model_ratelimit_reset_timestamp_seconds"
    assert REGISTRY.get_sample_value(reset, labels) is None


def test_a_block_that_raises_is_not_timed() -> None:
    meter = PrometheusMeter()
    names = (("kotodom_stage_seconds_count", "stage", "send"),)
    names += (("kotodom_commit_seconds_count", "loop", "react"),)
    names += (("kotodom_commit_items_count", "loop", "react"),)
    before = [value(name, **{label: of}) for name, label, of in names]
    for block in (meter.timing(Stage.SEND), meter.committing(Loop.REACT, 3)):
        with pytest.raises(OSError), block:
            raise OSError
    assert [value(name, **{label: of}) for name, label, of in names] == before
    with meter.timing(Stage.SEND), meter.committing(Loop.REACT, 3):
        pass
    after = [value(name, **{label: of}) for name, label, of in names]
    assert after == [count + 1 for count in before]


@pytest.mark.parametrize(
    ("status", "answer"),
    [(200, "ok"), (302, "malformed"), (404, "4xx"), (429, "429"), (502, "5xx")],
)
def test_the_class_of_a_status(status: int, answer: str) -> None:
    assert answer_of(status) == answer
