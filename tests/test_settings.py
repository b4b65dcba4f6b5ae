from pathlib import Path

import pytest

from seatkeeper.settings import LogFormat, Secret, SettingRejected, Settings, read_settings

DSN = "postgresql://seat:hunter2@db/seats"


def test_nothing_set_means_the_embedded_server_on_the_loopback():
    assert read_settings({}) == Settings(
        database_url=None,
        host="127.0.0.1",
        port=8484,
        data_dir=Path(".seatkeeper"),
        pool_size=10,
        log_format=LogFormat.TEXT,
    )


def test_empty_counts_as_unset():
    names = ("DATABASE_URL", "SEATKEEPER_HOST", "SEATKEEPER_PORT", "SEATKEEPER_LOG_FORMAT")
    assert read_settings(dict.fromkeys(names, "")) == read_settings({})


def test_every_variable_is_read():
    assert read_settings(
        {
            "DATABASE_URL": DSN,
            "SEATKEEPER_HOST": "::",
            "SEATKEEPER_PORT": "80",
            "SEATKEEPER_DATA_DIR": "/srv/seats",
            "SEATKEEPER_POOL_SIZE": "32",
            "SEATKEEPER_LOG_FORMAT": "json",
            "SEATKEEPER_SEAT_LIMIT_MAX": "20",
        }
    ) == Settings(Secret(DSN), "::", 80, Path("/srv/seats"), 32, LogFormat.JSON, 20)


def test_secrets_do_not_show():
    settings = read_settings({"DATABASE_URL": DSN})
    assert "hunter2" not in f"{settings} {settings!r} {settings.database_url}"
    assert settings.database_url is not None
    assert settings.database_url.reveal() == DSN


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SEATKEEPER_PORT", "0"),
        ("SEATKEEPER_PORT", "65536"),
        ("SEATKEEPER_PORT", "-1"),
        ("SEATKEEPER_PORT", "http"),
        ("SEATKEEPER_PORT", "٨٤"),
        ("SEATKEEPER_PORT", "9" * 5000),
        ("SEATKEEPER_POOL_SIZE", "0"),
        ("SEATKEEPER_POOL_SIZE", "1001"),
        ("SEATKEEPER_LOG_FORMAT", "xml"),
        ("SEATKEEPER_SEAT_LIMIT_MAX", "0"),
        ("SEATKEEPER_SEAT_LIMIT_MAX", "1000001"),
        ("SEATKEEPER_SEAT_LIMIT_MAX", "unlimited"),
    ],
)
def test_a_bad_value_is_one_sentence_that_names_it(name: str, value: str):
    with pytest.raises(SettingRejected) as rejected:
        read_settings({name: value})
    assert name in str(rejected.value)
    assert value in str(rejected.value)


@pytest.mark.parametrize("value", ["mysql://root:hunter2@db/x", "db:hunter2", "postgresql:/x"])
def test_a_bad_database_url_is_named_but_not_shown(value: str):
    with pytest.raises(SettingRejected, match="DATABASE_URL") as rejected:
        read_settings({"DATABASE_URL": value})
    assert "hunter2" not in str(rejected.value)
