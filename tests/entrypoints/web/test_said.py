"""Every sentence that the API can say to a person is said in Russian by the Admin Web as well.

A new one fails here until entrypoints/web/admin/src/i18n/ru/said.json has it; so does one there
that nobody says any more. sayings.py reads the code.
"""

import ast
import json
import re
from pathlib import Path

import pytest

from domain.access import Action, Role
from domain.alerts import fingerprint, unquoted
from domain.turn import Status
from tests.entrypoints.web.sayings import ROOT, TAKERS, Said, read_text, said_by_the_api

RUSSIAN = Path("entrypoints/web/admin/src/i18n/ru/said.json")

NOT_FOR_PEOPLE = {
    "entrypoints/http/webhook.py": "Telegram hears it",
    "entrypoints/http/sandbox.py": "the sandbox has a page of its own, in English",
    "entrypoints/http/examples.py": "the document's examples",
    "adapters/postgres_users.py": "the command line says it",
}
"""Files of which no page of the Admin Web shows a word."""

SHORT = {
    "There is no such {}.": "each kind is a sentence of its own",
    "{}.": "an HTTP status' own name, where a framework says no more",
    "update waits": "Russian has no use for it in its sentence",
    "updates wait": "Russian has no use for it in its sentence",
}
"""Sentences that need no translation."""

WORDS = [*Action, *Role, *Status]
"""What stands in places of sentences, and is said in words."""

TELEGRAMS = {
    "Telegram {}: {}",
    "Bad Request: chat not found",
    "Forbidden: bot was blocked by the user",
    "Forbidden: bot was kicked from the group chat",
    "Forbidden: bot was kicked from the supergroup chat",
    "Forbidden: user is deactivated",
    "Too Many Requests: retry after {}",
    "Unauthorized",
}
"""Telegram's own words: those that are met often are translated, the others stay as they are."""

PASSED_ON = {
    "the words of a sentence that is read where it is made": {
        "adapters/effect_runner.py: reason",
        "adapters/model_effects.py: str(error)",
        "adapters/postgres_bot_access.py: str(error)",
        "adapters/telegram_client.py: reason",
        "application/alert_setup.py: ours.error",
        "application/alert_setup.py: sentence",
        "application/bot_forms.py: str(error)",
        "application/bot_tokens.py: str(getattr(failed.failure, 'reason', failed.failure))",
        "application/moves.py: entry.turn.reason",
        "application/moves.py: loaded.unreadable.reason",
        "application/moves.py: self._loaded.unreadable.reason",
        "application/polling.py: failure.reason",
        "application/settings.py: str(error)",
        "application/silent_bots.py: failed.failure.reason",
        "domain/endings.py: failure.reason",
        "domain/endings.py: reason",
        "entrypoints/http/layer_problem.py: detail",
        "entrypoints/http/problems.py: str(error)",
        "entrypoints/http/problems.py: str(Invalid(errors))",
        "application/refusals.py: ' '.join((f'{error.field}: {error.message}' "
        "for error in errors))",
        "application/refusals.py: sentence",
    },
    "words of foreign servers": {
        "adapters/openai_failures.py: told.reason",
        "adapters/openai_runs.py: complaint(error).reason",
    },
    "a bug's name, for whoever mends it": {
        "application/moves.py: broken.error",
        "application/moves.py: item.broken.error",
        "application/turns.py: told.error",
    },
    "what an update lacks: Telegram hears it": {"domain/telegram.py: str(error)"},
    "rehearsals and replays, which no page shows": {
        "domain/rehearsal.py: reason",
        "domain/rehearsal.py: rule.bug",
    },
    "the document's examples": {
        "entrypoints/http/problems.py: MEANINGS[status].replace('`', '')",
    },
    "the framework's words": {"entrypoints/http/problems.py: error.detail"},
}
"""What sayings.py cannot follow, and why it need not."""


@pytest.fixture(scope="module")
def said() -> Said:
    return said_by_the_api(but=list(NOT_FOR_PEOPLE))


@pytest.fixture(scope="module")
def russian() -> dict[str, str]:
    translations: dict[str, str] = json.loads((ROOT / RUSSIAN).read_text())
    return translations


def needed(said: Said) -> dict[str, str]:
    """What must have a translation, and where it is said."""
    places = dict(said.sentences)
    # A kind of failures has the reason without what a model or a server said (domain/alerts.py).
    places |= {unquoted(sentence): place for sentence, place in places.items()}
    places |= dict.fromkeys(map(str, WORDS), "domain")
    return {sentence: place for sentence, place in places.items() if sentence not in SHORT}


def test_every_sentence_has_its_russian(said: Said, russian: dict[str, str]) -> None:
    places = needed(said)
    lacking = [f"{places[each]}: {each}" for each in places if each not in russian]
    assert not lacking, f"{RUSSIAN} lacks:\n" + "\n".join(lacking)


def test_nothing_is_left_that_nobody_says(said: Said, russian: dict[str, str]) -> None:
    left = sorted(russian.keys() - needed(said).keys() - TELEGRAMS)
    assert not left, f"nobody says any more what {RUSSIAN} has:\n" + "\n".join(left)
    assert SHORT.keys() <= said.sentences.keys(), "an exception for what nobody says"


def test_nothing_is_overlooked(said: Said) -> None:
    passed_on = {each for expressions in PASSED_ON.values() for each in expressions}
    assert said.unread == passed_on


def test_russian_is_russian(russian: dict[str, str]) -> None:
    """And no template is so bare that it would fit what it does not mean."""
    for english, translated in russian.items():
        assert re.search("[а-яё]", translated, re.IGNORECASE) or english in TELEGRAMS, english
        assert len(re.sub(r"{}|\W", "", english)) >= 4, f"{english} fits nearly everything"
        assert translated.endswith(".") == english.endswith("."), english


def test_a_kind_of_failures_is_said_like_its_reason(said: Said) -> None:
    """Its numbers are # (domain/alerts.py): no sentence of a reason's may hold one of its own."""
    for sentence, place in said.sentences.items():
        if place.startswith(("domain/", "adapters/")):
            assert fingerprint(sentence) == unquoted(sentence)[:200], sentence


@pytest.mark.parametrize(
    ("code", "sentences", "unread"),
    [
        ('raise Conflict("No.")', {"No."}, set()),
        ('raise Conflict(f"No {a} of {b!r}.")', {"No {} of {}."}, set()),
        ('raise NotFound("cat")', {"There is no such cat."}, set()),
        ('FieldError("name", message="is odd")', {"is odd"}, set()),
        ('FieldError("name", "is odd" if a else "is even")', {"is odd", "is even"}, set()),
        ('WHY = "it rains"\nTerminal(WHY)', {"it rains"}, set()),
        ('WHY = "it rains"\nTerminal(f"no: {WHY}")', {"no: it rains"}, set()),
        ('WHYS = {1: "one", 2: "two"}\nTerminal(WHYS[n])', {"one", "two"}, set()),
        ('def f():\n w = "a" if x else "b"\n Fatal(f"{w} c")', {"a", "b", "{} c"}, set()),
        ('def why():\n return "it rains"\nTerminal(why())', {"it rains"}, set()),
        ("Retryable(heard.said)", set(), {"-: heard.said"}),
    ],
)
def test_the_code_is_read(code: str, sentences: set[str], unread: set[str]) -> None:
    said = read_text(code)
    assert (set(said.sentences), said.unread) == (sentences, unread)


def test_every_refusal_and_failure_is_read() -> None:
    """A refusal that was given another name would be overlooked."""
    names = {
        node.name
        for file in ("application/refusals.py", "domain/failures.py")
        for node in ast.parse((ROOT / file).read_text()).body
        if isinstance(node, ast.ClassDef)
    }
    silent = {"Refusal", "Invalid", "SessionsAway", "ChatMigrated"}
    assert names - silent <= TAKERS.keys()
