"""The bugs that the explorer tells handlers of are no news: nothing is logged of them."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _no_log() -> Iterator[None]:
    former = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.configure(**former)
