"""Live events: who may hear which, and what a note of a change becomes."""

import pytest

from application.audit import begin_trail, changed
from application.bot_forms import CheckedToken
from application.live import REFRESH, Changed, EventType, may_hear, of_chat, of_note
from domain.access import Actor, Role

ADMIN, MANAGER, ANNA = (
    Actor("1", "a@example.com", Role.ADMIN),
    Actor("2", "m@example.com", Role.MANAGER),
    Actor("3", "u@example.com", Role.USER),
)
OWNERS = [{7: "9"}, {5: ANNA.id, 7: "9"}]


@pytest.mark.parametrize(
    ("event", "heard_by"),
    [
        (Changed("message", 1, 5), {ADMIN, MANAGER, ANNA}),
        (Changed("message", 1, 7), {ADMIN, MANAGER}),
        (Changed("message", 1, None), {ADMIN, MANAGER}),
        (Changed("chat", "5:1", 5), {ADMIN, MANAGER, ANNA}),
        (Changed("chat", "7:1", 7), {ADMIN, MANAGER}),
        (Changed("bot", 5, 5), {ADMIN, MANAGER, ANNA}),
        (Changed("bot", 8, 8), {ADMIN, MANAGER}),
        (Changed("job", 1), {ADMIN, MANAGER}),
        (Changed("settings", None), {ADMIN}),
        (REFRESH, {ADMIN, MANAGER, ANNA}),
    ],
)
def test_who_hears_what(event: Changed, heard_by: set[Actor]) -> None:
    assert {who for who in (ADMIN, MANAGER, ANNA) if may_hear(who, event, OWNERS)} == heard_by


def test_a_bot_that_is_gone_is_heard_of_by_who_owned_it() -> None:
    assert may_hear(ANNA, Changed("bot", 5, 5), [{5: ANNA.id}, {}])


@pytest.mark.parametrize(
    ("target", "event"),
    [
        ("bot:3", Changed("bot", 3, 3)),
        ("chat:3:-42", Changed("chat", "3:-42", 3)),
        ("chat:3:-42:7", Changed("chat", "3:-42:7", 3)),
        ("job:77", Changed("job", 77)),
        ("processing:8", Changed("message", 8, 3)),
        ("settings", Changed("settings", None)),
        ("processing", None),
        ("user:x", None),
        ("apiKey:3", None),
        ("alerts:test", None),
    ],
)
def test_what_a_note_becomes(target: str, event: Changed | None) -> None:
    trail = begin_trail()
    changed(target, None, None, bot_id=3 if target == "processing:8" else None)
    assert of_note(trail[0]) == event


def test_a_step_of_a_chat() -> None:
    assert of_chat("3:-42", [8]) == [Changed("message", 8, 3), Changed("chat", "3:-42", 3)]


def test_every_type_is_decided() -> None:
    for kind in EventType.__args__:
        may_hear(ANNA, Changed(kind, 1, 5), OWNERS)


def test_of_a_change_what_differs_is_noted() -> None:
    trail = begin_trail()
    before = CheckedToken(1, "Bot", "a_bot", False, False)
    changed("x", before, CheckedToken(1, "Bot", "b_bot", False, True))
    changed("y", None, before)
    assert (trail[0].before, trail[0].after) == (
        '{"username":"a_bot","taken":false}',
        '{"username":"b_bot","taken":true}',
    )
    assert trail[1].before is None and '"name":"Bot"' in (trail[1].after or "")
