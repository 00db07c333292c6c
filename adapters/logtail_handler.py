"""Log lines to Logtail (Better Stack), in batches, so that nothing here ever waits for them.

Triggered by every log line where LOGTAIL_SOURCE_TOKEN is set (entrypoints/logs.py). The library's
handler, queue and uploading thread are used as they are; what it would do by default and must not:
its thread keeps a process from ending for as long as a host hangs (minutes), a flush at exit waits
for 30 s, and what is dropped (a full queue, an answer such as 413, four tries in vain) is told to
nobody. At most 2,000 lines are held: those that wait, and those that are on their way.

Facts: logtail-python 0.5.3, handler.py, flusher.py, uploader.py: msgpack, `Authorization: Bearer`,
tries again after 1, 10 and 60 s where the answer is 5xx or none came.
"""

import json
import logging
import time
from collections.abc import Callable
from queue import Full
from typing import Any

from logtail import LogtailHandler
from logtail.flusher import RETRY_SCHEDULE, FlushWorker, TransportFrame, in_flush_worker
from logtail.uploader import Fake500

CAPACITY = 1000
"""Lines that wait, and lines of a batch."""
LONGEST = 8000
"""Characters of one value; of a longer one the end is sent, where a traceback says most."""
TIMEOUT = (5.0, 10.0)
"""Seconds to connect, and to wait for an answer."""
LAST_FLUSH = 1.0
"""Seconds at a process' end, for what still waits."""

_TRIED_AGAIN = (408, 429)


class GivenUp:
    """What the library takes for an answer after which nothing is tried again."""

    status_code = 0


class BoundedLogtailHandler(LogtailHandler):
    """Hears of each loss through `lost`, called with the number of lines and why.

    Its formatter must give a line as a JSON object with `event` and `timestamp`.
    """

    def __init__(self, source_token: str, host: str, lost: Callable[[int, str], None]) -> None:
        super().__init__(
            source_token=source_token,
            host=host,
            buffer_capacity=CAPACITY,
            timeout=TIMEOUT,
            flush_timeout=LAST_FLUSH,
        )
        self._lost = lost
        self._tries = 0
        # A counter for each thread that counts: lines to be sent, and lines sent or lost.
        self._taken = self._settled = 0

    def ensure_flush_thread_alive(self) -> None:
        """A daemon, or the process could not end while an upload hangs."""
        if self.flush_thread is not None and self.flush_thread.is_alive():
            return
        self.flush_thread = FlushWorker(
            self._upload, self.pipe, CAPACITY, self.flush_interval, self.check_interval
        )
        self.flush_thread.daemon = True
        self.flush_thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Put the line's fields into the queue; where that is full, count it."""
        try:
            self.ensure_flush_thread_alive()
            frame = _frame(self.format(record))
            if in_flush_worker():
                self.pipe.put_nowait(TransportFrame(frame))
            else:
                self.pipe.put_nowait(frame)
                self._taken += 1
        except (Full, RuntimeError):  # RuntimeError: the interpreter ends and starts no thread
            self.dropcount += 1

    def flush(self) -> None:
        """Wait for what is queued to be sent, a moment at most; called as the process ends."""
        ends = time.monotonic() + LAST_FLUSH
        # Asked again where it says too soon that all is sent: it does, just as it takes a line up.
        while self._settled < self._taken and (left := ends - time.monotonic()) > 0:
            if self.flush_thread is None or not self.flush_thread.is_alive():
                return
            self.flush_thread.flush(timeout=left)

    def _upload(self, frame: list[Any]) -> object:
        """One try to send a batch, in the library's thread, which tries again after a 5xx."""
        answer = self._send(frame)
        status = answer.status_code
        if (status >= 500 or status in _TRIED_AGAIN) and self._tries < len(RETRY_SCHEDULE):
            self._tries += 1
            return answer if status >= 500 else Fake500(RuntimeError(f"HTTP {status}"))
        self._tries = 0
        self._settled += sum(not isinstance(line, TransportFrame) for line in frame)
        if dropped := self._dropped():
            self._lost(dropped, "more lines came than could be sent")
        if 200 <= status < 300:
            return answer
        error = getattr(answer, "exception", None)
        self._lost(len(frame), type(error).__name__ if error is not None else f"HTTP {status}")
        return GivenUp()

    def _send(self, frame: list[Any]) -> Any:  # noqa: ANN401 - requests' Response, or Fake500
        try:
            return self.uploader(frame)
        except (ValueError, OverflowError) as error:  # msgpack: a number beyond 64 bits
            refused = Fake500(error)
            refused.status_code = 400
            return refused

    def _dropped(self) -> int:
        """How many lines the queue had no room for since this was asked last."""
        dropped, self.dropcount = self.dropcount, 0
        return dropped


def _frame(line: str) -> dict[str, Any]:
    """A line as Logtail takes it: `dt` and `message` are its names, the fields are searchable."""
    # Without lone surrogates, of which msgpack makes an exception.
    fields = json.loads(line.encode("utf-8", "replace"))
    frame = {"dt": fields.pop("timestamp", None), "message": fields.pop("event", "")}
    for name, value in fields.items():
        frame[name] = value[-LONGEST:] if isinstance(value, str) else value
    return frame
