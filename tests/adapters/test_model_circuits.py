"""A model server that is down is asked by one request now and then; the others are told to wait."""

from collections.abc import Callable
from datetime import timedelta
from heapq import heapify, heappop, heappush
from random import Random

import pytest

from adapters.model_circuits import COME_BACK_RATE, OPEN_AFTER, PROBE_EVERY, ModelCircuits
from application.ports import Failed
from domain.conversation import handle
from domain.effects import PublishJob, TurnToken
from domain.events import ReplyFailed, TurnResumed
from domain.failures import SHORTEST_TOLD, Failure, Retryable
from domain.step import Envelope
from domain.turn import Status
from tests.domain.given import NOW, TOKEN, begun, chat

A, B = "http://a.example/v1", "http://b.example/v1"


class World:
    """Circuits, what was heard of them, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.heard: list[tuple[str, str | None]] = []
        self.circuits = ModelCircuits(
            lambda server, reason: self.heard.append((server, reason)), lambda: self.now
        )

    def fail(self, times: int, server: str = A) -> list[float | None]:
        """So many failures in a row; what each message was told, None: an ordinary retry."""
        return [self._told(lambda: self.circuits.failed(server, "HTTP 503")) for _ in range(times)]

    def turned_away(self, server: str = A) -> float | None:
        """The seconds told, None where the request is let through."""
        return self._told(lambda: self.circuits.admit(server))

    def _told(self, ask: Callable[[], None]) -> float | None:
        try:
            ask()
        except Failed as failed:
            assert isinstance(failed.failure, Retryable)
            assert "HTTP 503" in failed.failure.reason
            return failed.failure.after
        return None


@pytest.fixture
def world() -> World:
    return World()


def test_ten_failures_in_a_row_open_it(world: World) -> None:
    world.fail(OPEN_AFTER - 1)
    assert world.turned_away() is None
    assert world.heard == []
    assert world.fail(1) == [PROBE_EVERY]
    assert world.turned_away() == PROBE_EVERY + 1 / COME_BACK_RATE
    assert world.heard == [(A, "HTTP 503")]


def test_an_answer_between_begins_the_count_anew(world: World) -> None:
    world.fail(OPEN_AFTER - 1)
    world.circuits.answered(A)
    world.fail(OPEN_AFTER - 1)
    assert world.turned_away() is None
    assert world.heard == []


def test_another_server_has_a_circuit_of_its_own(world: World) -> None:
    world.fail(OPEN_AFTER)
    assert world.turned_away(B) is None


def test_one_request_is_the_probe(world: World) -> None:
    world.fail(OPEN_AFTER)
    world.now += PROBE_EVERY
    assert world.turned_away() is None
    assert world.turned_away() == PROBE_EVERY


def test_a_failed_probe_costs_its_message_no_attempt(world: World) -> None:
    assert world.fail(OPEN_AFTER - 1) == [None] * (OPEN_AFTER - 1)
    world.fail(1)
    world.now += PROBE_EVERY
    assert world.turned_away() is None
    assert world.fail(1) == [PROBE_EVERY]


def test_who_comes_just_before_a_probe_waits_long_enough_to_cost_nothing(world: World) -> None:
    world.fail(OPEN_AFTER)
    world.now += PROBE_EVERY - 0.001
    assert world.turned_away() == SHORTEST_TOLD


def test_a_failed_probe_leaves_it_open_and_is_not_told_again(world: World) -> None:
    world.fail(OPEN_AFTER)
    world.now += PROBE_EVERY
    assert world.turned_away() is None
    world.fail(1)
    assert world.turned_away() is not None
    assert world.heard == [(A, "HTTP 503")]


def test_an_answer_closes_it(world: World) -> None:
    world.fail(OPEN_AFTER)
    world.now += PROBE_EVERY
    assert world.turned_away() is None
    world.circuits.answered(A)
    assert [world.turned_away() for _ in range(3)] == [None, None, None]
    assert world.heard == [(A, "HTTP 503"), (A, None)]


def test_who_waits_comes_back_one_after_the_other(world: World) -> None:
    world.fail(OPEN_AFTER)
    told = [world.turned_away() for _ in range(int(COME_BACK_RATE) * 10 + 1)]
    assert told[0] == PROBE_EVERY + 1 / COME_BACK_RATE
    assert told[-1] == PROBE_EVERY + 10 + 1 / COME_BACK_RATE


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("chats", [12, 60])
def test_an_outage_of_half_an_hour_uses_up_nobodys_attempts(workers: int, chats: int) -> None:
    """Each chat's message is asked, told, and asked again when it is due, by any worker."""
    chance, now = Random(chats * workers), [0.0]
    circuits = [ModelCircuits(lambda *_: None, lambda: now[0]) for _ in range(workers)]
    waiting = [(chance.random() * 2, number, chat(begun())) for number in range(chats)]
    heapify(waiting)
    requests = 0
    while waiting[0][0] < 1800:
        now[0], number, conversation = heappop(waiting)
        circuit = chance.choice(circuits)
        try:
            circuit.admit(A)
            requests += 1
            circuit.failed(A, "HTTP 503")
            failure: Failure = Retryable("OpenAI 503")
        except Failed as told:
            failure = told.failure
        at = NOW + timedelta(seconds=now[0])
        assert conversation.turn is not None
        if conversation.turn.status is Status.FAILED:
            token = TurnToken(TOKEN.id, conversation.epoch + 1)
            conversation = handle(conversation, Envelope("due", at, TurnResumed(token))).state
            assert conversation.turn is not None
        event = ReplyFailed(conversation.turn.token, failure, chance.random())
        step = handle(conversation, Envelope("told", at, event))
        # One that gave up would wish for no job.
        (job,) = (effect for effect in step.effects if isinstance(effect, PublishJob))
        heappush(waiting, (now[0] + job.delay, number, step.state))
    assert requests < workers * (OPEN_AFTER + 1800 / PROBE_EVERY) + chats
