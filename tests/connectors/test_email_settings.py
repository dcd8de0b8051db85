"""What an account of the e-mail connector may say in bridge.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bridge.config import Config, load
from bridge.errors import ConfigurationError
from connectors.email import Email, EmailSettings

LOGGED_IN = (
    "host: smtp.example.com\nuser: {env: SMTP_USER}\npassword: {env: SMTP_PASSWORD}\n"
    "from: tickets@example.com"
)
KNOWN = {"SMTP_USER": "tickets@example.com", "SMTP_PASSWORD": "password-4711"}


def configured(folder: Path, account: str, **environ: str) -> Config:
    lines = "\n".join(f"    {line}" for line in account.splitlines())
    (folder / "bridge.yaml").write_text(f"sources:\n  showpass:\naccounts:\n  email:\n{lines}\n")
    return load({**environ, "SHOWBRIDGE_DATA": str(folder)}, folder)


def test_without_its_password_an_account_is_in_preview(tmp_path: Path) -> None:
    found = configured(tmp_path, LOGGED_IN).accounts["email"]
    assert (found.preview, found.lacks) == (True, "SMTP_PASSWORD")
    found = configured(tmp_path, LOGGED_IN, **KNOWN).accounts["email"]
    assert (found.preview, found.lacks) == (False, "")
    assert "4711" not in repr(found.settings)


def test_a_relay_needs_no_password_to_be_live(tmp_path: Path) -> None:
    relay = "host: mail.lan\nencryption: none\nrelay: true\nfrom: tickets@example.com"
    assert not configured(tmp_path, relay).accounts["email"].preview
    assert configured(tmp_path, relay.replace("true", "false")).accounts["email"].preview
    kept = configured(tmp_path, f"{relay}\npreview: true").accounts["email"]
    assert (kept.preview, kept.lacks) == (True, "")


def test_what_would_make_it_live_is_told_where_nothing_is_named(tmp_path: Path) -> None:
    found = configured(tmp_path, "host: smtp.example.com").accounts["email"]
    assert found.lacks == "`password: {env: EMAIL_PASSWORD}`"


def test_a_password_never_stands_in_yaml(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="secrets never stand in YAML") as caught:
        configured(tmp_path, LOGGED_IN.replace("{env: SMTP_PASSWORD}", "password-4711"))
    assert "4711" not in str(caught.value)


def test_templates_stand_beside_the_settings(tmp_path: Path) -> None:
    settings = configured(tmp_path, LOGGED_IN).accounts["email"].settings
    assert isinstance(settings, EmailSettings)
    assert settings.templates == tmp_path / "emails"
    settings = (
        configured(tmp_path, f"{LOGGED_IN}\ntemplates: /srv/mails").accounts["email"].settings
    )
    assert isinstance(settings, EmailSettings)
    assert settings.templates == Path("/srv/mails")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"relay": True}, "without a login"),
        ({"user": None}, "needs `user`"),
        ({"encryption": "none"}, "anybody can read"),
        ({"host": None}, "`host` and `from` are needed"),
        ({"from": None}, "`host` and `from` are needed"),
        ({"from": "Bow River <tickets@example.com>"}, "a name is `from_name`"),
        ({"from": "tickets"}, "write an address"),
        ({"from": "a@example.com\r\nBcc: b@example.com"}, "write an address"),
        ({"from_name": "Bow River, Inc."}, "up to 60 characters"),
        ({"from_name": "x" * 61}, "up to 60 characters"),
        ({"host": "smtp.example.com\r\nX"}, "one address or name"),
        ({"host": "https://smtp.example.com"}, r"write smtp\.example\.com"),
        ({"user": "ü"}, "plain characters"),
        ({"user": "a\r\nb"}, "plain characters"),
        ({"time_zone": "Calgary"}, "no such time zone"),
        ({"time_zone": "../../etc/passwd"}, "no such time zone"),
        ({"base_url": "http://127.0.0.1"}, "named by `host` and `port`"),
        ({"password": SecretStr("ab cd")}, "not copied well"),
    ],
)
def test_what_cannot_work_is_said_at_load(changes: dict[str, Any], words: str) -> None:
    given = {
        "host": "smtp.example.com",
        "user": "u",
        "password": SecretStr("p"),
        "from": "tickets@example.com",
        **changes,
    }
    with pytest.raises(ValidationError, match=words):
        EmailSettings.model_validate({k: v for k, v in given.items() if v is not None})


@pytest.mark.parametrize(
    ("given", "port"),
    [({}, 587), ({"encryption": "tls"}, 465), ({"encryption": "none"}, 25), ({"port": 2525}, 2525)],
)
def test_the_port_follows_the_encryption(given: dict[str, Any], port: int) -> None:
    assert EmailSettings.model_validate(given).server_port == port


def test_an_account_may_tell_of_alerts(tmp_path: Path) -> None:
    """Any action with a `text` may, and an alert has no delivery."""
    text = (
        "sources:\n  showpass:\naccounts:\n  email:\n"
        + "\n".join(f"    {line}" for line in LOGGED_IN.splitlines())
        + "\nalerts:\n  tell:\n    - email.send: {to: ops@example.com, subject: Showbridge}\n"
    )
    (tmp_path / "bridge.yaml").write_text(text)
    config = load({**KNOWN, "SHOWBRIDGE_DATA": str(tmp_path)}, tmp_path)
    [target] = config.alerts.tell
    assert target.name == "email.send"
    assert "send" in Email.actions()
