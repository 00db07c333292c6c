"""What holds on every page of the Admin Web: sessions, connections, menus, files that are away."""

from pathlib import Path

import pytest

from tests.end_to_end.system import Bot, System
from tests.entrypoints.web.admin_stories import play, world

pytestmark = pytest.mark.timeout(180)

STORIES = [
    "sessionOverForm",
    "signOut",
    "signOutAndIn",
    "twoTabsEnded",
    "upgraded",
    "closing",
    "firstLoad",
    "refusedOnce",
    "wideMenu",
    "brokenPage",
    "proxyPage",
    "otherPerson",
    "sevenTabs",
    "narrowMenu",
    "statesLight",
    "statesDark",
    "calendar",
    "meAway",
    "gateway",
    "silence",
    "moreFails",
    "longList",
    "slowPage",
    "chatBanner",
    "filesAway",
    "fileGone",
    "nothingKept",
    "wrongClock",
    "wayBack",
    "landmarks",
    "otherMedia",
]


@pytest.mark.parametrize("name", STORIES)
async def test_a_story(name: str, system: System, bot: Bot, tmp_path: Path) -> None:
    await play(name, world(system, bot), tmp_path)
