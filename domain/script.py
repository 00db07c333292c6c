"""A tester's script: what becomes of effects in a rehearsal, instead of their plain success.

Read from a small JSON file, a list of rules (`kotodom replay --updates … --failures SCRIPT`):

    [{"effect": "telegram.sendMessage", "nth": 3,
      "failure": {"type": "retryable", "reason": "429: Too Many Requests", "after": 3}},
     {"effect": "openai.generateReply", "nth": 1,
      "failure": {"type": "terminal", "reason": "the model refused"}}]
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from domain.failures import Failure

_WHERE = re.compile(r"(.*) - at `\$\[(\d+)\]([^`]*)`", re.DOTALL)
_PLACE = re.compile(r"\[(\d+)\]")


class NotAScript(ValueError):  # noqa: N818 - named by what the file is
    """The script is not a list of rules as Rule describes them."""


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of an effect instead of its plain success.

    `nth` counts the askings of this effect from 1, over all chats, or in the chat that `key` names;
    without it the rule holds for each. One of the others says what happens: `failure`, as journals
    and recordings write it; `reply`, the parts of what the model says; `died`: the worker is killed
    before the outcome is known, so the turn is asked again; `bug`: an exception's line. `run_id`:
    the model's run had this id by then, so that it is resumed.
    """

    effect: Literal["openai.generateReply", "openai.resumeReply", "telegram.sendMessage"]
    nth: Annotated[int, Meta(ge=1)] | None = None
    key: str | None = None
    failure: Failure | None = None
    reply: Annotated[tuple[str, ...], Meta(min_length=1)] | None = None
    died: bool = False
    bug: str | None = None
    run_id: str | None = None
    jitter: Annotated[float, Meta(ge=0, lt=1)] = 0.5


def decode_script(content: bytes) -> tuple[Rule, ...]:
    """A script: a JSON list of rules.

    Raises NotAScript with the rule's number from 1, its field, and the reason.
    """
    try:
        rules = msgspec.json.decode(content, type=tuple[Rule, ...])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotAScript(_named(str(error))) from None
    except RecursionError:
        raise NotAScript("nested too deeply") from None
    for number, rule in enumerate(rules, 1):
        if trouble := _senseless(rule):
            raise NotAScript(f"rule {number}: {trouble}")
    return rules


def checked_script(rules: Sequence[Rule | Mapping[str, Any]]) -> tuple[Rule, ...]:
    """A script from Python: rules, or dicts as the file has them. Raises NotAScript."""
    try:
        content = msgspec.json.encode(rules)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotAScript(f"this is no JSON: {error}") from None
    return decode_script(content)


def _named(reason: str) -> str:
    """msgspec's words for a place, in ours: it counts from 0."""
    found = _WHERE.fullmatch(reason)
    if found is None:
        return reason
    trouble, number, field = found.groups()
    named = _PLACE.sub(lambda place: f" {int(place[1]) + 1}", field).lstrip(".")
    return f"rule {int(number) + 1}{', ' if named else ''}{named}: {trouble}"


def _senseless(rule: Rule) -> str | None:
    told = (rule.failure is not None, rule.reply is not None, rule.died, rule.bug is not None)
    if sum(told) != 1:
        return "give one of failure, reply, died and bug"
    if rule.reply is not None and rule.effect == "telegram.sendMessage":
        return "only a model replies"
    if rule.run_id is not None and rule.effect != "openai.generateReply":
        return "only openai.generateReply starts a run"
    return None
