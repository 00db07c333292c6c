"""Longer stories than can be exhausted, as chance has it."""

import asyncio

import pytest

from tests.explore.walk import Walk


@pytest.mark.parametrize("seed", range(200))
async def test_a_story_of_two_processes_ends_well(seed: int) -> None:
    walk = Walk(seed, faults=seed % 12)
    for _ in range(5000):
        walk.happen()
        for _ in range(12):  # whoever can go on without anybody does
            await asyncio.sleep(0)
        if walk.over():
            break
    assert walk.over(), "it does not end"
    walk.check()
