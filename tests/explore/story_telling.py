"""A loaded chat, told without what differs by nature: times, and numbers of jobs and messages."""

from typing import Any

import msgspec
from msgspec.structs import replace

from application.conversations import Entry, Loaded
from domain.turn import Turn

_TIMES = {"began_at", "last_error_at", "generated_at", "ended_at"}


class Names:
    """Numbers of jobs and of messages, by the order in which they were seen."""

    def __init__(self) -> None:
        self._jobs: dict[int, int] = {}
        self._messages: dict[int, int] = {}

    def job(self, number: int) -> int:
        return self._jobs.setdefault(number, len(self._jobs) + 1)

    def message(self, number: int) -> int:
        return self._messages.setdefault(number, len(self._messages) + 1)

    def message_named(self, name: int) -> int:
        """The number of a message that was seen."""
        return next(number for number, known in self._messages.items() if known == name)


def told(loaded: Loaded, names: Names) -> dict[str, Any]:
    """The chat as the store loaded it."""
    chat = loaded.conversation
    columns: dict[str, Any] = msgspec.to_builtins(replace(chat, turn=None))
    for name in ("thread_upto", "context_from"):
        if columns.get(name):
            columns[name] = names.message(columns[name])
    return {
        "chat": columns,
        "turn": _turn(chat.turn, names),
        "enabled": loaded.profile.enabled,
        "owner": names.job(loaded.owner_job_id) if loaded.owner_job_id else None,
        "lives": loaded.owner_lives,
        "held": loaded.pick_held,
        "update": loaded.update and (loaded.update.id, loaded.update.payload),
        "request": _request(loaded.request, names),
    }


def _request(entry: Entry | None, names: Names) -> object:
    if entry is None:
        return None
    words = entry.payload if entry.kind == "OPERATOR_MESSAGE" else ""
    return [entry.kind, words, _turn(entry.turn, names)]


def _turn(turn: Turn | None, names: Names) -> object:
    if turn is None:
        return None
    kept = {name: value for name, value in msgspec.to_builtins(turn).items() if name not in _TIMES}
    return kept | {"token": [names.message(turn.token.id), turn.token.epoch]}
