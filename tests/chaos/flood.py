"""People write to the bots, many at once, and every word of an answer can be told from another.

People write one to four messages at a time, and no two have the same number. The model echoes:
message 7 is answered "m7end", or by several parts of words "m7w0 m7w1 … m7end", so that whoever
reads the parts knows of each which it is and what is missing. Some answers come as a slow stream.
"""

import asyncio
import time
from random import Random

from msgspec import Struct

from entrypoints.sandbox.server import SandboxServer
from tests.chaos.witness import Witness
from tests.end_to_end.system import Bot

ECHO = "/sandbox:echo "
FIRST_CHAT = 900_001
LONG_WORDS = 1200
"""About 10,000 characters: three parts."""
LONG_SHARE, SLOW_SHARE = 0.08, 0.10
MOST_UNANSWERED = 1500
"""People wait as well: past this the flood pauses, so that what follows an outage is bounded."""


class Said(Struct, frozen=True):
    """One message of a person, the answer it must get, and when it was written (Unix time)."""

    bot: int
    telegram_bot: int
    chat: int
    number: int
    update_id: int
    answer: tuple[str, ...]
    at: float


class Flood:
    """`rate` messages a second in `chats` chats of each bot."""

    def __init__(
        self,
        sandbox: SandboxServer,
        witness: Witness,
        bots: list[Bot],
        chance: Random,
        *,
        rate: float,
        chats: int,
    ) -> None:
        self._sandbox = sandbox
        self._witness = witness
        self._chance = chance
        self._rate = rate
        self._lines = [(bot, FIRST_CHAT + number) for bot in bots for number in range(chats)]
        self.said: list[Said] = []

    async def run(self, seconds: float) -> None:
        """Write for so long."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            bot, chat = self._chance.choice(self._lines)
            many = self._chance.randint(1, 4)
            if len(self.said) - self._witness.answered < MOST_UNANSWERED:
                for _ in range(many):
                    self._say(bot, chat)
            await asyncio.sleep(many / self._rate)

    def _say(self, bot: Bot, chat: int) -> None:
        number = len(self.said)
        if self._chance.random() < SLOW_SHARE:
            delay = self._chance.uniform(0.2, 5.0)
            self._sandbox.faults.add("openai", "slow", times=1, delay=delay, tokens_per_second=300)
        length = LONG_WORDS if self._chance.random() < LONG_SHARE else 0
        answer = (*(f"m{number}w{index}" for index in range(length)), f"m{number}end")
        update_id = bot.say(f"{ECHO}{' '.join(answer)}", user=chat)
        self.said.append(
            Said(bot.id, bot.telegram_id, chat, number, update_id, answer, time.time())
        )
