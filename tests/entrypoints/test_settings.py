"""Environment -> Settings: the defaults, and one clear line for every wrong value."""

from pathlib import Path

import pytest

from entrypoints.settings import WrongSetting, load


def test_every_variable_is_optional() -> None:
    settings = load({})
    assert (settings.port, settings.host, settings.data_dir) == (8000, "127.0.0.1", Path(".data"))
    assert (settings.openai_timeout, settings.telegram_timeout) == (120.0, 15.0)
    assert settings.telegram_api_url == "https://api.telegram.org"
    assert (settings.log_level, settings.log_format) == ("INFO", "console")
    assert settings.sandbox is True
    assert settings.database_url is settings.public_url is settings.secret_key is None


def test_an_empty_value_is_an_unset_one() -> None:
    assert load({"PORT": "", "DATABASE_URL": "  ", "LOG_FORMAT": ""}) == load({})


@pytest.mark.parametrize(
    ("environment", "sandbox"),
    [
        ({}, True),
        ({"DATABASE_URL": "postgresql://u@h/n"}, False),
        ({"PUBLIC_URL": "https://bots.example.org"}, False),
        ({"PUBLIC_URL": "https://bots.example.org", "SANDBOX": "on"}, True),
        ({"SANDBOX": "off"}, False),
    ],
)
def test_the_sandbox_is_on_where_nothing_real_is_named(
    environment: dict[str, str], sandbox: bool
) -> None:
    assert load(environment).sandbox is sandbox


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("DATABASE_URL", "mysql://u@h/n"),
        ("DATABASE_URL", "h/n"),
        ("WORKER_DATABASE_URL", "sqlite:///x"),
        ("REDIS_URL", "http://h"),
        ("PUBLIC_URL", "http://bots.example.org"),
        ("PUBLIC_URL", "bots.example.org"),
        ("PUBLIC_URL", "https://bots.example.org?x=1"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 40 + ",short"),
        ("OPENAI_BASE_URL", "ftp://h"),
        ("TELEGRAM_API_URL", "api.telegram.org"),
        ("ADMIN_EMAIL", "nobody"),
        ("ADMIN_PASSWORD", "short"),
        ("ADMIN_EMAIL", "a@b@c"),
        ("DATABASE_URL", "postgresql://u@h:port/n"),
        ("REDIS_URL", "redis://h:port/0"),
        ("REDIS_URL", "redis://h/notadb"),
        ("PUBLIC_URL", "http://127.0.0.1:port"),
        ("PUBLIC_URL", "https://user:password@bots.example.org"),
        ("PUBLIC_URL", "https://bots.example.org#x"),
        ("OPENAI_API_KEY", "sk-тест"),
        ("LOGTAIL_HOST", "not_a_host"),
        ("WORKERS", "0"),
        ("WORKERS", "many"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("OPENAI_TIMEOUT", "0"),
        ("OPENAI_TIMEOUT", "soon"),
        ("OPENAI_TIMEOUT", "nan"),
        ("TELEGRAM_TIMEOUT", "-3"),
        ("TRUSTED_PROXIES", "10.0.0.0/33"),
        ("TRUSTED_PROXIES", "proxy"),
        ("TELEGRAM_SEND_LIMITS", "perhaps"),
        ("SANDBOX", "maybe"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(WrongSetting) as wrong:
        load({name: value})
    line = str(wrong.value)
    assert line.startswith(f"{name}: expected ")
    assert "\n" not in line


def test_webhooks_may_be_plain_http_on_this_machine_only() -> None:
    assert load({"PUBLIC_URL": "http://127.0.0.1:8000/"}).public_url == "http://127.0.0.1:8000"
    assert load({"PUBLIC_URL": "http://localhost:8000"}).public_url == "http://localhost:8000"
