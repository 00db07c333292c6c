"""The lines of a process: one vocabulary, and no secret even where an exception holds one."""

import json
import subprocess
import sys

TOKEN = f"123456789:{'A' * 35}"
WRITES = f"""
import logging, os, sys
import structlog
from structlog.contextvars import bind_contextvars
from entrypoints.logs import configure
from entrypoints.settings import load

configure(load({{"LOG_FORMAT": sys.argv[1]}}), "worker")
log = structlog.get_logger("a_logger")
log.info("it.happened", bot=3)
bind_contextvars(request_id="r1", job=7)
log.debug("it.is.not.told")
logging.getLogger("somebody.elses").warning("of %s", "theirs")
exporter = logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter")
for number in range(3):
    exporter.error("failed %s", number)
secrets = (
    "/bot{TOKEN}/getMe", "sk-proj-abcdefgh12345", "kd_{"k" * 43}", "Bearer abc.def",
    "postgresql://ada:hunter2@host/name",
)
try:
    raise ValueError(" ".join(secrets))
except ValueError:
    log.exception("it.broke")
"""


def _written(form: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", WRITES, form], capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    return done.stderr


def test_json_lines() -> None:
    happened, theirs, failed, broke = [json.loads(line) for line in _written("json").splitlines()]
    assert happened.pop("timestamp").endswith("Z")
    assert happened == {
        "event": "it.happened",
        "bot": 3,
        "part": "worker",
        "level": "info",
        "logger": "a_logger",
    }
    assert (theirs["event"], theirs["level"]) == ("of theirs", "warning")
    assert failed["event"] == "failed 0"  # and the same again was not told
    for line in (theirs, failed, broke):
        assert (line["part"], line["request_id"], line["job"]) == ("worker", "r1", 7)
    assert broke["exception"].endswith(
        "ValueError: /bot…/getMe … … Bearer … postgresql://…@host/name"
    )


def test_console_lines_hold_no_secret_either() -> None:
    written = _written("console")
    assert "it.happened" in written and "it.is.not.told" not in written
    assert "ValueError: /bot…/getMe … … Bearer … postgresql://…@host/name" in written
    assert "\x1b[" not in written  # colours are for terminals
