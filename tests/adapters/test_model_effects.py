"""Conversations of a deleted bot: each is deleted once, and tried again while that may help."""

from typing import Any, cast

import pytest

from adapters.model_effects import ModelEffects
from adapters.secret_box import SecretUnreadable
from application.model import ModelAccess, ModelApi
from application.ports import Failed
from domain.effects import ForgetThreads
from domain.failures import MAX_ATTEMPTS, Failure, Fatal, Retryable, Terminal

OWN = ModelAccess(ModelApi.RESPONSES, "gpt", "http://own", "sk-own")
THREADS = ("conv_1", "conv_2", "conv_3")
AWAY = Retryable("sk-own is asked too often", after=7)


class World:
    """The model's server, the bots and the clock."""

    def __init__(self, model: ModelAccess | Fatal, failures: dict[str, Failure]) -> None:
        self.model = model
        self.failures = failures
        self.asked: list[str] = []

    async def former_model(self, sealed: str) -> ModelAccess | Fatal:
        if sealed == "unreadable":
            raise SecretUnreadable("SECRET_KEY has changed")
        return self.model

    async def forget(self, access: ModelAccess, thread_id: str) -> None:
        assert access == OWN
        self.asked.append(thread_id)
        if thread_id in self.failures:
            raise Failed(self.failures[thread_id])

    def jitter(self) -> float:
        return 0.5


@pytest.mark.parametrize(
    ("failures", "attempt", "asked", "again"),
    [
        ({}, 0, 3, None),
        ({"conv_2": Terminal("no")}, 0, 3, None),
        ({"conv_1": AWAY}, 0, 1, (THREADS, 1, 7)),
        ({"conv_1": Retryable("away")}, 2, 1, (THREADS, 3, 16.0)),
        # It goes on.
        ({"conv_2": Retryable("away")}, MAX_ATTEMPTS - 1, 2, (THREADS[1:], 1, 1.0)),
        ({"conv_1": Retryable("away")}, MAX_ATTEMPTS - 1, 1, None),
        ({"conv_2": Fatal("the key is dead")}, 0, 2, None),
    ],
)
async def test_each_is_deleted(
    failures: dict[str, Failure],
    attempt: int,
    asked: int,
    again: tuple[tuple[str, ...], int, float] | None,
) -> None:
    world = World(OWN, failures)
    found = await _effects(world).forget(ForgetThreads(3, "sealed", THREADS, attempt, 10.0))
    assert world.asked == list(THREADS[:asked])
    assert (found and (found.thread_ids, found.attempt, found.delay)) == again
    assert found is None or (found.bot_id, found.sealed_model) == (3, "sealed")


async def test_where_there_is_no_key_nothing_is_asked() -> None:
    world = World(Fatal("no OpenAI key"), {})
    for sealed in ("sealed", "unreadable"):
        assert await _effects(world).forget(ForgetThreads(3, sealed, THREADS)) is None
    assert world.asked == []


def _effects(world: World) -> ModelEffects:
    any_ = cast("Any", world)
    models = {ModelApi.RESPONSES: any_}
    return ModelEffects(models, any_, any_, any_, any_, any_, any_)
