"""A circuit for each model server: a server that is down is asked now and then, by one request.

Triggered by adapters/openai_clients.py around each of its requests. After ten failures in a row
(no connection, no answer, 5xx) the circuit is open: messages are told when to come back, which
costs them no attempt (DESIGN §2, "Failures"), and every five seconds one request goes through as a
probe, whose failure costs its message no attempt either. The first answer closes it. Each worker
has circuits of its own.
"""

import time
from collections.abc import Callable

from msgspec import Struct

from application.ports import Failed
from domain.failures import SHORTEST_TOLD, Retryable

OPEN_AFTER = 10
"""Failures in a row."""
PROBE_EVERY = 5.0
COME_BACK_RATE = 50.0
"""Messages a second that are told to come back: a long line must not keep PostgreSQL busy."""

Heard = Callable[[str, str | None], None]
"""Hears that a server's circuit opened, with the last failure; None: that it closed."""


class _Circuit(Struct):
    failures: int = 0
    is_open: bool = False
    reason: str = ""
    next_probe: float = 0.0
    next_return: float = 0.0


class ModelCircuits:
    """The circuits of a process; a server is named by its base URL."""

    def __init__(self, heard: Heard, clock: Callable[[], float] = time.monotonic) -> None:
        self._heard = heard
        self._clock = clock
        self._circuits: dict[str, _Circuit] = {}

    def admit(self, server: str) -> None:
        """Let a request through. Raises Failed(Retryable): come back after so many seconds."""
        circuit = self._circuits.get(server)
        if circuit is None or not circuit.is_open:
            return
        now = self._clock()
        if now < circuit.next_probe:
            raise self._later(circuit, now)
        circuit.next_probe = now + PROBE_EVERY

    def answered(self, server: str) -> None:
        """The server answered, whatever it said."""
        circuit = self._circuits.pop(server, None)
        if circuit is not None and circuit.is_open:
            self._heard(server, None)

    def failed(self, server: str, reason: str) -> None:
        """The server did not answer, or with its own failure.

        Raises Failed(Retryable) where the circuit is open: come back after so many seconds.
        """
        circuit = self._circuits.setdefault(server, _Circuit())
        circuit.failures += 1
        circuit.reason = reason
        if circuit.failures >= OPEN_AFTER and not circuit.is_open:
            circuit.is_open = True
            circuit.next_probe = self._clock() + PROBE_EVERY
            self._heard(server, reason)
        if circuit.is_open:
            raise self._later(circuit, self._clock())

    def _later(self, circuit: _Circuit, now: float) -> Failed:
        """What a message is told while the circuit is open; the next one, a little later."""
        earliest = max(circuit.next_probe, circuit.next_return, now + SHORTEST_TOLD)
        circuit.next_return = earliest + 1 / COME_BACK_RATE
        reason = f"the model server is down, and is asked again soon: {circuit.reason}"
        return Failed(Retryable(reason, after=round(earliest - now, 3)))
