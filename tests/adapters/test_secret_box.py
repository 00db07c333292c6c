"""What SECRET_KEY encrypts, while it holds one key, two keys, and another one."""

import pytest

from adapters.postgres_secrets import keys_session
from adapters.secret_box import SecretBox, SecretUnreadable

OLD, NEW = (
    "the-former-key-of-the-tests-and-of-nothing",
    "the-newest-key-of-the-tests-and-of-nothing",
)


def test_a_secret_moves_to_the_newest_key_once() -> None:
    old, both, new = SecretBox(OLD), SecretBox(f"{NEW}, {OLD}"), SecretBox(NEW)
    stored = old.encrypt("s")
    renewed = both.renewed(stored)
    assert renewed is not None and new.decrypt(renewed) == both.decrypt(stored) == "s"
    assert both.renewed(renewed) is None and old.renewed(stored) is None
    for box, secret in ((new, stored), (old, renewed)):
        with pytest.raises(SecretUnreadable):
            box.renewed(secret)


def test_a_webhook_is_called_with_either_secret_and_set_with_the_newest() -> None:
    old, both, new = SecretBox(OLD), SecretBox(f"{NEW},{OLD}"), SecretBox(NEW)
    assert both.webhook_secret(1) == new.webhook_secret(1) != old.webhook_secret(1)
    for box in (old, new):
        assert both.is_webhook_secret(1, box.webhook_secret(1).encode())
    assert not new.is_webhook_secret(1, old.webhook_secret(1).encode())


def test_a_session_in_postgresql_says_which_keys_its_process_has() -> None:
    both = SecretBox(f"{NEW},{OLD}")
    assert both.key_ids == SecretBox(NEW).key_ids + SecretBox(OLD).key_ids
    assert keys_session(both) == f"kotodom keys {both.key_ids[0]} {both.key_ids[1]}"
    assert not any(key[:6] in keys_session(both) for key in (OLD, NEW))
    many = keys_session(SecretBox(",".join(f"{OLD}-{number}" for number in range(20))))
    assert len(many) <= 63  # PostgreSQL cuts a longer name
