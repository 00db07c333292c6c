"""Every metric is seen to move, by real processes that do what it tells of.

A story does something to the system, and lists the series that move while it does. A metric that no
story moves is a failure: `test_every_metric_is_in_a_story`.
"""

import asyncio
import json
import re
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from adapters.prometheus_meter import MULTIPROCESS, forget_process
from adapters.secret_box import SecretBox
from application.backlog import MAX_WAITING
from tests.adapters.registered_metrics import registered
from tests.end_to_end.metrics_watch import MetricsWatch
from tests.end_to_end.system import SECRET_KEY, System

ADMINISTRATOR = 77
HEADER = "X-Telegram-Bot-Api-Secret-Token"
Story = Callable[[System, MetricsWatch], Awaitable[None]]
STORIES: list[Story] = []
MOVED: dict[str, list[str]] = {}


def moves(*series: str) -> Callable[[Story], Story]:
    """The story moves these series."""

    def told(story: Story) -> Story:
        STORIES.append(story)
        MOVED[story.__name__] = list(series)
        return story

    return told


@pytest.fixture(scope="module")
async def system(
    database_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[System]:
    counters = tmp_path_factory.mktemp("counters")
    environment = {MULTIPROCESS: str(counters), "TELEGRAM_SEND_LIMITS": "on"}
    async with System(database_url, valkey_url, **environment) as running:
        # A Logtail that refuses whatever it is sent.
        token, host = "LOGTAIL_SOURCE_TOKEN", "LOGTAIL_HOST"
        running.environment |= {token: "token", host: f"{running.sandbox.url}/no-logtail"}
        await running.start("api", "worker", "poller")
        await running.sign_in()
        yield running


@moves(
    "kotodom_updates_kept_total",
    "kotodom_messages_completed_total",
    'kotodom_turns_total{status="COMPLETED",reason="none"}',
    'kotodom_webhook_answers_total{status="200"}',
    *(
        f'kotodom_stage_seconds_count{{stage="{stage}"}}'
        for stage in ("intake", "queue", "model_first_byte", "model", "send", "turn")
    ),
    *(
        f'kotodom_commit_{what}{{loop="{loop}"}}'
        for loop in ("intake", "react")
        for what in ("seconds_count", "items_sum")
    ),
    'kotodom_telegram_calls_total{method="sendMessage",answer="ok"}',
    'kotodom_telegram_calls_total{method="getUpdates",answer="ok"}',
    'kotodom_model_requests_total{answer="ok"}',
    *(
        f'kotodom_model_{what}{{model="{model}",limit="{limit}"}}'
        for what in ("ratelimit_remaining", "ratelimit_reset_timestamp_seconds")
        for limit in ("requests", "tokens")
        for model in ("gpt-5.4-mini", "gpt-5.4-nano")
    ),
    'kotodom_model_tokens_total{model="gpt-5.4-mini",direction="input"}',
    'kotodom_model_tokens_total{model="gpt-5.4-nano",direction="output"}',
    'kotodom_model_price_dollars_total{model="gpt-5.4-mini"}',
    *(
        f'kotodom_process_heartbeat_timestamp_seconds{{process="{process}"}}'
        for process in ("api", "worker", "poller")
    ),
)
async def messages_are_answered(system: System, watch: MetricsWatch) -> None:
    """By both model APIs, from a webhook and from a poll."""
    by_webhook = await system.bot()
    by_poll = await system.bot("POLLING", modelApi="CHAT_COMPLETIONS", model="gpt-5.4-nano")
    for bot in (by_webhook, by_poll):
        bot.say("How are you?")
    for bot in (by_webhook, by_poll):
        await bot.answers(1)
    await watch.look()
    left = 'kotodom_model_ratelimit_remaining{model="gpt-5.4-mini",limit="requests"}'
    assert watch.value(left) == 9999
    hosts = {dict(labels)["server"] for name, labels in watch.now if "ratelimit" in name}
    assert hosts == {system.sandbox.openai_url.split("/")[2]}


@moves(
    'kotodom_turns_total{status="FAILED",reason="model"}',
    "kotodom_messages_failed_total",
    'kotodom_model_requests_total{answer="429"}',
    'kotodom_model_requests_total{answer="5xx"}',
    'kotodom_model_requests_total{answer="network"}',
    'kotodom_model_requests_total{answer="4xx"}',
    'kotodom_turns_total{status="TERMINAL",reason="model"}',
    "kotodom_messages_terminal_total",
    'kotodom_model_ratelimit_remaining{model="gpt-5.5",limit="requests"}',
)
async def the_model_refuses(system: System, watch: MetricsWatch) -> None:
    bot, other = await system.bot(), await system.bot(model="gpt-5.5")
    other.say("/sandbox:echo first")
    await other.answers(1)
    system.sandbox.faults.add("openai", "rate_limited", retry_after=8, times=1)
    other.say("/sandbox:echo second")
    left = 'kotodom_model_{}{{model="gpt-5.5",limit="requests"}}'
    await watch.until([left.format("ratelimit_remaining")])
    await watch.until_is(left.format("ratelimit_remaining"), 0)
    back = watch.value(left.format("ratelimit_reset_timestamp_seconds"))
    assert 0 < back - time.time() <= 8
    for number, kind in enumerate(("rate_limited", "server_error", "reset_before")):
        bot.say(f"/sandbox:{kind} 1", user=2001 + number)
    bot.say("/sandbox:bad_request", user=2004)
    await system.settled(bot, 4)
    await other.answers(2)


@moves(
    'kotodom_telegram_calls_total{method="sendMessage",answer="429"}',
    'kotodom_telegram_calls_total{method="sendMessage",answer="5xx"}',
    'kotodom_telegram_calls_total{method="sendMessage",answer="network"}',
    'kotodom_telegram_calls_total{method="sendMessage",answer="malformed"}',
    'kotodom_telegram_calls_total{method="sendMessage",answer="4xx"}',
    "kotodom_telegram_retry_after_seconds_count",
    'kotodom_turns_total{status="FAILED",reason="telegram"}',
    'kotodom_turns_total{status="TERMINAL",reason="telegram"}',
    "kotodom_alerts_undelivered_total",
    "kotodom_log_lines_lost_total",
    "kotodom_sends_held_back_total",
)
async def telegram_refuses(system: System, watch: MetricsWatch) -> None:
    """And refuses the alert of it as well, of which the log tells, whose lines Logtail refuses; a
    long answer is held back by us.
    """
    alerting, bot = await system.bot(), await system.bot()
    await system.ask(
        "PUT",
        "/api/settings",
        {"alerts.botToken": alerting.token, "alerts.chatId": str(ADMINISTRATOR)},
    )
    faults = system.sandbox.faults
    muted = faults.add("telegram", "blocked", bot=alerting.telegram_id)
    kinds = ("rate_limited", "server_error", "reset_before", "malformed", "blocked")
    for number, kind in enumerate(kinds):
        faults.add("telegram", kind, method="sendMessage", chat=3001 + number, times=1)
        bot.say("/sandbox:echo heard", user=3001 + number)
    bot.say("/sandbox:text 20000", user=3009)
    await system.settled(bot, len(kinds) + 1)
    await watch.until(["kotodom_alerts_undelivered_total"])
    faults.remove(muted.id)
    assert watch.value("kotodom_telegram_retry_after_seconds_sum") >= 1


@moves(
    "kotodom_updates_duplicate_total",
    "kotodom_updates_unreadable_total",
    *(
        f'kotodom_webhook_answers_total{{status="{status}"}}'
        for status in (400, 401, 404, 413, 499)
    ),
)
async def strange_updates_come(system: System, watch: MetricsWatch) -> None:
    bot = await system.bot()
    update = json.dumps({"update_id": 1, "poll": {}})
    assert await _post(system, bot.id, update) == await _post(system, bot.id, update) == 200
    assert await _post(system, bot.id, '{"update_id": 2, "message": 3}') == 200
    assert await _post(system, bot.id, "{}") == 400
    assert await _post(system, bot.id, update, "wrong") == 401
    assert await _post(system, 999_999, update) == 404
    assert await _post(system, bot.id, "x" * (1024 * 1024 + 1)) == 413
    await _hang_up(system, bot.id)
    await watch.until(['kotodom_webhook_answers_total{status="499"}'])


@moves(
    "kotodom_model_circuit_opened_total",
    "kotodom_model_circuit_open",
    'kotodom_turns_total{status="FAILED",reason="model_down"}',
)
async def the_model_is_down(system: System, watch: MetricsWatch) -> None:
    bot = await system.bot()
    fault = system.sandbox.faults.add("openai", "bad_gateway", times=None)
    for user in range(4001, 4016):
        bot.say("Are you there?", user=user)
    await watch.until_is("kotodom_model_circuit_open", 1)
    system.sandbox.faults.remove(fault.id)
    await watch.until_is("kotodom_model_circuit_open", 0)
    await system.settled(bot, 15)


@moves(
    'kotodom_pool_size{process="worker",pool="loop"}',
    'kotodom_pool_in_use{process="worker",pool="loop"}',
    'kotodom_pool_in_use{process="api",pool="shared"}',
    'kotodom_pool_waiting{process="api",pool="shared"}',
)
async def connections_run_short(system: System, watch: MetricsWatch) -> None:
    """A table is locked; another worker's pool is counted for as long as that worker lives."""
    bot = await system.bot()
    size = watch.value('kotodom_pool_size{process="worker",pool="loop"}')
    await system.start("worker-2")
    await watch.until_is('kotodom_pool_size{process="worker",pool="loop"}', 2 * size)
    other = system.processes["worker-2"].pid
    async with system.database.transaction():
        await system.database.execute("LOCK TABLE chats")
        asked = [asyncio.create_task(system.ask("GET", "/api/chats")) for _ in range(8)]
        bot.say("/sandbox:echo through")
        await watch.until_is('kotodom_pool_in_use{process="api",pool="shared"}', 5)
        await watch.until_is('kotodom_pool_waiting{process="api",pool="shared"}', 3)
        await watch.until(['kotodom_pool_in_use{process="worker",pool="loop"}'])
    await asyncio.gather(*asked)
    await bot.answers(1)
    await watch.until_is('kotodom_pool_in_use{process="api",pool="shared"}', 0)
    await system.kill("worker-2")
    forget_process(other, system.environment[MULTIPROCESS])
    await watch.until_is('kotodom_pool_size{process="worker",pool="loop"}', size)


@moves(
    "kotodom_updates_turned_away_total",
    "kotodom_updates_waiting",
    'kotodom_webhook_answers_total{status="503"}',
)
async def too_much_waits(system: System, watch: MetricsWatch) -> None:
    bot = await system.bot()
    await system.rows(
        "INSERT INTO telegram_updates (bot_id, update_id, payload, chat_id, state) "
        "SELECT $1::bigint, -i, '{}', $1::bigint || ':1', 'WAITING' "
        "FROM generate_series(1, $2::int) AS i",
        bot.id,
        MAX_WAITING,
    )

    async def turned_away() -> bool:
        return await _post(system, bot.id, '{"update_id": 1, "poll": {}}') == 503

    await system.until(turned_away)
    await watch.until_is("kotodom_updates_waiting", MAX_WAITING)
    await system.rows("DELETE FROM telegram_updates WHERE bot_id = $1 AND update_id < 0", bot.id)


@moves(
    *(
        f'kotodom_jobs{{entrypoint="bot.handle_update",status="{status}"}}'
        for status in ("queued", "picked", "failed")
    ),
    *(
        f'kotodom_oldest_job_age_seconds{{status="{status}"}}'
        for status in ("queued", "picked", "failed")
    ),
    *(f'kotodom_messages{{status="{status}"}}' for status in ("PROCESSING", "FAILED", "TERMINAL")),
    "kotodom_sweep_found_total",
    "kotodom_rows_pruned_total",
    'kotodom_turns_total{status="TERMINAL",reason="job_deleted"}',
)
async def jobs_stand_in_the_queue(system: System, watch: MetricsWatch) -> None:
    """One waits for its retry, one runs, one is held, one is due and nobody takes it; one is
    deleted by a person, and one by hand, which the next worker's first sweep finds.
    """
    bot = await system.bot()
    slow = system.sandbox.faults.add("openai", "slow", delay=60, times=1)
    bot.say("Think long.", user=5001)
    await system.until(_async(lambda: slow.hits))
    system.sandbox.faults.add("openai", "rate_limited", retry_after=50, times=1)
    bot.say("Come back later.", user=5002)
    bot.say("/sandbox:refusal", user=5003)
    await system.rows(
        "INSERT INTO pgqueuer (priority, entrypoint, payload, status, updated) VALUES "
        "(0, 'bot.handle_update', '0:0', 'failed', now() - interval '1 hour')"
    )
    await watch.until(
        [
            *(series for series in MOVED["jobs_stand_in_the_queue"] if "messages{" in series),
            'kotodom_jobs{entrypoint="bot.handle_update",status="picked"}',
            'kotodom_oldest_job_age_seconds{status="picked"}',
        ]
    )
    assert watch.value('kotodom_oldest_job_age_seconds{status="failed"}') >= 3600
    (running,) = await system.rows(
        "SELECT owner_job_id AS job FROM chats WHERE id = $1", f"{bot.id}:5001"
    )
    await system.ask("DELETE", f"/api/jobs/{running['job']}")
    await system.kill("worker", signal.SIGTERM)
    bot.say("Nobody is there.", user=5004)
    await watch.until(
        [
            'kotodom_jobs{entrypoint="bot.handle_update",status="queued"}',
            'kotodom_oldest_job_age_seconds{status="queued"}',
        ]
    )
    await system.rows("DELETE FROM pgqueuer")
    await system.rows("UPDATE journal SET at = at - interval '400 days'")
    await system.start("worker")
    await bot.answers(1, chat=5004)


@moves("kotodom_silent_bots")
async def a_bot_is_silent(system: System, watch: MetricsWatch) -> None:
    bot = await system.bot()
    silent = "UPDATE bots SET silent_reason = $2, look_again_at = now() + interval '1 day'"
    await system.rows(f"{silent} WHERE id = $1", bot.id, "its webhook is somebody else's")
    await watch.until_is("kotodom_silent_bots", 1)
    await system.rows(f"{silent} WHERE id = $1", bot.id, None)


@moves("kotodom_database_up")
async def postgresql_goes_away(system: System, watch: MetricsWatch) -> None:
    """The rest is answered; it comes back by itself."""
    name = await system.database.fetchval("SELECT current_database()")
    outside = await asyncpg.connect(system.database_url, database="postgres")
    await outside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    await outside.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
    )
    await watch.until_is("kotodom_database_up", 0)
    assert watch.value("kotodom_updates_kept_total") > 0
    assert not any(sample == "kotodom_jobs" for sample, _ in watch.now)
    await outside.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    await watch.until_is("kotodom_database_up", 1)
    await outside.close()
    system.database = await asyncpg.connect(system.database_url)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_metrics_move(system: System, story: Story) -> None:
    watch = MetricsWatch(system)
    await watch.look()
    await story(system, watch)
    await watch.until(MOVED[story.__name__])
    ours = {family for family in watch.families if family.startswith("kotodom_")}
    assert ours <= registered().keys()
    assert not re.search(r"t{35}|sk-", watch.text), "a token or a key"


def test_every_metric_is_in_a_story() -> None:
    named = {series.partition("{")[0] for moved in MOVED.values() for series in moved}
    unseen = {family for family, samples in registered().items() if not samples & named}
    assert unseen == set(), "a metric that no test sees move"


def _async(holds: Callable[[], Any]) -> Callable[[], Awaitable[Any]]:
    async def asked() -> Any:
        return holds()

    return asked


async def _hang_up(system: System, bot_id: int) -> None:
    """Leave before the body that was announced has come."""
    _, writer = await asyncio.open_connection("127.0.0.1", system.port)
    secret = SecretBox(SECRET_KEY).webhook_secret(bot_id)
    head = f"POST /webhook/{bot_id} HTTP/1.1\r\nHost: x\r\n{HEADER}: {secret}\r\n"
    writer.write(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    await writer.drain()
    writer.close()


async def _post(system: System, bot_id: int, body: str, secret: str | None = None) -> int:
    """Post a body as Telegram does; the answer's status."""
    secret = secret or SecretBox(SECRET_KEY).webhook_secret(bot_id)
    headers = {"Content-Type": "application/json", HEADER: secret}
    async with system.http.post(f"/webhook/{bot_id}", data=body, headers=headers) as answer:
        await answer.read()
        return answer.status
