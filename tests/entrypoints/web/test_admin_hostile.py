"""What others, the network and the address do to the Admin Web's pages, in a real browser.

The stories are those of tests/browser/admin-hostile.mjs.
"""

from pathlib import Path

import pytest

from tests.end_to_end.system import Bot, System
from tests.entrypoints.web.admin_stories import play, world

pytestmark = pytest.mark.timeout(180)

STORIES = [
    "userLost",
    "bulkCut",
    "selectionBack",
    "pageDialog",
    "revoked",
    "address",
    "spacedName",
    "reloaded",
    "saidOnce",
    "recordingEnded",
    "small",
]


@pytest.mark.parametrize("name", STORIES)
async def test_a_story(name: str, system: System, bot: Bot, tmp_path: Path) -> None:
    await play(name, world(system, bot), tmp_path)
