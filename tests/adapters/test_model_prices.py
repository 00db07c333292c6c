"""What tokens cost, from the installed price list."""

from decimal import Decimal

import pytest

from adapters.model_prices import GenaiPrices

PRICES = GenaiPrices()


def test_a_known_model() -> None:
    price = PRICES.price("gpt-4o", 1000, 500)
    assert price is not None
    # $2.50 and $10.00 a million tokens.
    assert Decimal(price) == Decimal("0.0075")


def test_a_dated_name_is_its_model() -> None:
    assert PRICES.price("gpt-5-2025-08-07", 1000, 500) == PRICES.price("gpt-5", 1000, 500)


def test_small_and_great_prices_have_no_exponent() -> None:
    assert PRICES.price("gpt-4o", 1, 0) == "0.0000025"
    assert PRICES.price("gpt-4o", 400_000_000, 0) == "1000"
    assert PRICES.price("gpt-4o", 0, 0) == "0"


@pytest.mark.parametrize("model", ["sandbox", "my-own-model", ""])
def test_an_unknown_model(model: str) -> None:
    assert PRICES.price(model, 10, 10) is None


def test_unknown_tokens() -> None:
    assert PRICES.price("gpt-4o", None, 10) is None
    assert PRICES.price("gpt-4o", 10, None) is None
