"""Keeps bots, people, chats and conversations in a file, so that a restarted sandbox knows them.

server.py loads it before the first call and saves it every two seconds where something changed.
"""

import asyncio
from pathlib import Path

import msgspec
from msgspec import Struct

from entrypoints.sandbox.json_text import encode_json
from entrypoints.sandbox.openai_world import OpenAi, OpenAiWorld
from entrypoints.sandbox.telegram_world import Telegram, TelegramWorld

FILE_NAME = "sandbox.json"
SAVE_SECONDS = 2.0


class _Kept(Struct):
    telegram: Telegram
    openai: OpenAi


class StateFile:
    """The file of two worlds. Its directory is made, and the file is its owner's only."""

    def __init__(self, state_dir: Path, telegram: TelegramWorld, openai: OpenAiWorld) -> None:
        state_dir.mkdir(parents=True, exist_ok=True)
        self._path = state_dir / FILE_NAME
        self._telegram = telegram
        self._openai = openai
        self._written = b""

    def load(self) -> None:
        """A file that is not there, or of another version, leaves the worlds new."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except (FileNotFoundError, msgspec.DecodeError):
            return
        for conversation in kept.openai.conversations.values():
            conversation.locked_by = None
        self._telegram.kept = kept.telegram
        self._openai.kept = kept.openai

    def save(self) -> None:
        state = encode_json(_Kept(self._telegram.kept, self._openai.kept))
        if state != self._written:
            fresh = self._path.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_bytes(state)
            fresh.replace(self._path)
            self._written = state

    async def keep_saving(self) -> None:
        """Until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(SAVE_SECONDS)
                self.save()
        finally:
            self.save()
