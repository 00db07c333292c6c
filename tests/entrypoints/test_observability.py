"""The Grafana dashboard and the alert rules ask for metrics and labels that there are."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from tests.adapters.registered_metrics import labels, registered

FOLDER = Path(__file__).parents[2] / "entrypoints/observability"
DASHBOARD = json.loads((FOLDER / "grafana-dashboard.json").read_text())
RULES = [
    rule
    for group in yaml.safe_load((FOLDER / "prometheus-rules.yml").read_text())["groups"]
    for rule in group["rules"]
]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
ASKED = [target["expr"] for panel in PANELS for target in panel["targets"]]

FUNCTIONS = {
    *("absent", "clamp_min", "count", "histogram_quantile", "increase", "max", "min", "rate"),
    *("sum", "time", "vector"),
}
WORDS = {"and", "by", "or"}
SCRAPED = {"instance", "job", "pid"}
"""Labels that Prometheus and prometheus_client's multiprocess mode add."""
_TOKEN = re.compile(
    r'"[^"]*"|\$__rate_interval|\d+(?:\.\d+)?[smhd]?|[a-zA-Z_:][\w:]*|[=!]~|[=!<>]=|[{}()\[\],=<>*/+-]'
)
_CLOSED_BY = {"(": ")", "[": "]", "{": "}"}


def tokens(expression: str) -> list[str]:
    """The expression's tokens. Raises AssertionError where something in it is none."""
    rest = _TOKEN.sub("", expression)
    assert not rest.strip(), f"{rest!r} in {expression}"
    return _TOKEN.findall(expression)


def metrics_in(expression: str) -> Iterator[tuple[str, list[str]]]:
    """The samples that are asked for, each with the labels that it is chosen by.

    Raises AssertionError where brackets are not closed, or a function is none of Prometheus'.
    """
    told, opened = tokens(expression), []
    for at, token in enumerate(told):
        following = told[at + 1] if at + 1 < len(told) else ""
        if token in _CLOSED_BY:
            opened.append(_CLOSED_BY[token])
        elif token in _CLOSED_BY.values():
            assert opened and opened.pop() == token, f"{token} closes nothing in {expression}"
        elif token[0].isalpha() and not (opened and opened[-1] == "}") and token not in WORDS:
            if following == "(" or following == "by":
                assert token in FUNCTIONS, f"{token} in {expression}"
            elif not _grouping(told, at):
                end = told.index("}", at) if following == "{" else at
                yield (
                    token,
                    [
                        word
                        for word, sign in zip(told[at:end], told[at + 1 : end], strict=False)
                        if sign in ("=", "!=", "=~", "!~")
                    ],
                )
    assert opened == [], f"{opened} is missing in {expression}"


def _grouping(told: list[str], at: int) -> bool:
    """Whether the token stands in the brackets of a `by`."""
    while at and (told[at - 1] == "," or re.fullmatch(r"\w+", told[at - 1])):
        at -= 1
    return told[at - 2 : at] == ["by", "("]


@pytest.mark.parametrize("expression", [*ASKED, *(rule["expr"] for rule in RULES)])
def test_an_expression_asks_for_what_there_is(expression: str) -> None:
    families = {sample: family for family, samples in registered().items() for sample in samples}
    of_family = labels()
    asked = list(metrics_in(expression))
    assert asked
    for sample, chosen_by in asked:
        known = of_family[families[sample]] if sample != "up" else set()
        assert set(chosen_by) <= known | SCRAPED
    grouped = re.findall(r"by \(([\w, ]+)\)", expression)
    by = {label for group in grouped for label in group.split(", ")}
    assert by <= {"le"}.union(*(of_family[families[name]] for name, _ in asked if name != "up"))


@pytest.mark.parametrize(
    "wrong",
    [
        "sum(rate(up[5m])",
        "sum by (job)) (up)",
        'up{job="x"',
        "summ(up)",
        "rate(up[5m)]",
        "up & up",
    ],
)
def test_an_expression_that_is_wrong_is_found(wrong: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        list(metrics_in(wrong))


def test_the_dashboard_shows_every_metric() -> None:
    shown = {sample for expression in ASKED for sample, _ in metrics_in(expression)}
    assert {family for family, samples in registered().items() if not samples & shown} == set()


def test_every_metric_that_is_registered_is_known() -> None:
    """One that is made elsewhere would be in no list."""
    ours = {family.name for family in REGISTRY.collect() if family.name.startswith("kotodom_")}
    assert {name for name in ours if not name.endswith("_created")} <= registered().keys()


def test_the_dashboard_can_be_imported() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    names = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert (names["datasource"]["type"], names["datasource"]["query"]) == (
        "datasource",
        "prometheus",
    )
    for panel in PANELS:
        for asking in (panel, *panel["targets"]):
            assert asking["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["title"] and panel["description"]
        assert all('job=~"$job"' in target["expr"] for target in panel["targets"])
    for one, other in combinations(DASHBOARD["panels"], 2):
        assert not _overlap(one["gridPos"], other["gridPos"]), (one["title"], other["title"])


def test_a_rule_says_what_to_do() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"] and rule["annotations"]["description"]


@pytest.mark.parametrize(
    "sample",
    [
        "up",
        "kotodom_database_up",
        "kotodom_oldest_job_age_seconds",
        "kotodom_jobs",
        "kotodom_messages_terminal_total",
        "kotodom_model_circuit_open",
        "kotodom_telegram_calls_total",
        "kotodom_process_heartbeat_timestamp_seconds",
        "kotodom_alerts_undelivered_total",
        "kotodom_silent_bots",
    ],
)
def test_there_is_an_alert_of_each_trouble(sample: str) -> None:
    assert any(sample == name for rule in RULES for name, _ in metrics_in(rule["expr"]))


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )
