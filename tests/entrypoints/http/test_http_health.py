"""Health and metrics."""

import time

from tests.entrypoints.http.conftest import Person


async def test_health(nobody: Person) -> None:
    answer = await nobody.get("/health")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


async def test_no_answer_waits_for_a_delayed_acknowledgement(nobody: Person) -> None:
    taken = []
    for _ in range(10):
        began = time.perf_counter()
        await nobody.get("/health")
        taken.append(time.perf_counter() - began)
    assert min(taken[1:]) < 0.02  # 0.04 where TCP_NODELAY is not set


async def test_metrics(nobody: Person) -> None:
    answer = await nobody.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "python_info" in answer.json
