"""What holds now: the database's value, else the environment's, else ours; asked rarely."""

from datetime import UTC, datetime, timedelta

from application.settings import (
    DEFAULT_MODEL,
    CurrentSettings,
    EnvironmentDefaults,
    SettingsReader,
    mask,
    token_mask,
)


class Store:
    def __init__(self, **stored: str) -> None:
        self.stored = {name.replace("_", "."): value for name, value in stored.items()}
        self.reads = 0

    async def read(self) -> dict[str, str]:
        self.reads += 1
        return dict(self.stored)


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def jitter(self) -> float:
        return 0.5


async def test_nothing_set() -> None:
    reader = SettingsReader(Store(), Clock(), EnvironmentDefaults("sk-env", "http://env"))
    assert await reader.current() == CurrentSettings(
        openai_api_key="sk-env",
        openai_base_url="http://env",
        alerts_bot_token=None,
        alerts_chat_id=None,
        retention_updates_days=30,
        retention_journal_days=30,
        retention_job_log_days=7,
        default_model=DEFAULT_MODEL,
        default_instructions=None,
        default_help_text=None,
        default_error_message=None,
    )


async def test_the_database_wins_and_is_asked_again_after_two_seconds() -> None:
    store, clock = Store(openai_apiKey="sk-db", retention_jobLogDays="3"), Clock()
    reader = SettingsReader(store, clock, EnvironmentDefaults("sk-env"))
    current = await reader.current()
    assert (current.openai_api_key, current.retention_job_log_days) == ("sk-db", 3)
    store.stored["openai.apiKey"] = "sk-new"
    clock.at += timedelta(seconds=1.9)
    assert (await reader.current()).openai_api_key == "sk-db"
    clock.at += timedelta(seconds=0.1)
    assert (await reader.current()).openai_api_key == "sk-new"
    assert store.reads == 2


def test_masks_tell_little() -> None:
    assert mask("sk-proj-abcdefgh1234") == "…1234"
    assert mask("short") == "…"
    assert token_mask("123456:AAAAbbbbCCCCdddd") == "123456:…dddd"
