"""`system`: the api, a worker and a poller, running for the tests of one module."""

from collections.abc import AsyncIterator

import pytest

from tests.end_to_end.system import System


@pytest.fixture(scope="module")
async def system(database_url: str, valkey_url: str) -> AsyncIterator[System]:
    async with System(database_url, valkey_url) as running:
        await running.start("api", "worker", "poller")
        await running.sign_in()
        yield running
