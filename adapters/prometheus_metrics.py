"""The metrics of a process by name, as GET /metrics shows them; all labels have few values.

What they are set by: adapters/prometheus_meter.py and adapters/prometheus_process.py; what is read
from PostgreSQL for each answer stands in adapters/prometheus_database.py.
"""

from prometheus_client import Counter, Gauge, Histogram

from application.meter import Counted

COUNTERS = {what: Counter(f"kotodom_{what.name.lower()}", what.value) for what in Counted}
CIRCUITS = Gauge(
    "kotodom_model_circuit_open",
    "1 while a model server is held to be down, by the worker that found out last",
    ["server"],
    multiprocess_mode="livemostrecent",
)
_SHORT = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
STAGES = Histogram(
    "kotodom_stage_seconds",
    "How long the stages of a message's way take",
    ["stage"],
    buckets=(*_SHORT, 60, 300, 3600),
)
COMMITS = Histogram(
    "kotodom_commit_seconds", "How long a commit for many takes", ["loop"], buckets=_SHORT
)
COMMIT_SIZES = Histogram(
    "kotodom_commit_items",
    "Updates that share a commit of the intake, steps that share one of react",
    ["loop"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
TURNS = Counter(
    "kotodom_turns",
    "Turns that were COMPLETED, that ended TERMINAL, or that FAILED and are tried again",
    ["status", "reason"],
)
WEBHOOKS = Counter("kotodom_webhook_answers", "Webhooks, by the status we answered", ["status"])
TELEGRAM = Counter("kotodom_telegram_calls", "Calls of the Bot API", ["method", "answer"])
TOLD_TO_WAIT = Histogram(
    "kotodom_telegram_retry_after_seconds",
    "What Telegram tells us to wait with a 429",
    buckets=(1, 2, 5, 10, 30, 60, 300, 3600),
)
MODEL = Counter("kotodom_model_requests", "Requests to model servers", ["server", "answer"])
REMAINING = Gauge(
    "kotodom_model_ratelimit_remaining",
    "What a model server said last is left of its limit of requests or tokens",
    ["server", "model", "limit"],
    multiprocess_mode="mostrecent",
)
RESET = Gauge(
    "kotodom_model_ratelimit_reset_timestamp_seconds",
    "When, as a model server said last, all of that limit is back",
    ["server", "model", "limit"],
    multiprocess_mode="mostrecent",
)
TOKENS = Counter("kotodom_model_tokens", "Tokens of models' answers", ["model", "direction"])
PRICE = Counter("kotodom_model_price_dollars", "What models' answers cost, where known", ["model"])
PROCESSES = Gauge(
    "kotodom_process_heartbeat_timestamp_seconds",
    "When a process was last seen to run, each second",
    ["process"],
    multiprocess_mode="liveall",
)
_POOL = ["process", "pool"]
POOL_SIZE = Gauge(
    "kotodom_pool_size",
    "Connections to PostgreSQL that the pools of such processes keep at most",
    _POOL,
    multiprocess_mode="livesum",
)
POOL_IN_USE = Gauge(
    "kotodom_pool_in_use",
    "Connections that are in use",
    _POOL,
    multiprocess_mode="livesum",
)
POOL_WAITING = Gauge(
    "kotodom_pool_waiting",
    "Tasks that wait for a connection of the pools",
    _POOL,
    multiprocess_mode="livesum",
)
