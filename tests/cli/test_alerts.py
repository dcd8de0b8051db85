"""`showbridge alerts`, and `alerts:` in bridge.yaml: who is told, and every mistake in it."""

from __future__ import annotations

import pytest

from bridge.config import load
from bridge.errors import ConfigurationError
from tests.cli.house import BRIDGE, House
from tests.mail_server import MailServer

MAIL = "{to: ops@example.com, from: bridge@example.com, host: localhost, "


def with_alerts(house: House, *tell: str) -> None:
    lines = "\n".join(f"    - {each}" for each in tell)
    house.write("bridge.yaml", f"{BRIDGE}alerts:\n  tell:\n{lines}\n")


def test_without_anybody_named_it_says_so(house: House) -> None:
    assert "Nobody is told" in house.run("alerts").stdout


def test_who_is_told_is_listed_without_an_address(house: House) -> None:
    with_alerts(house, 'slack.post_message: {channel: "#ops"}', f"email: {MAIL} port: 2525}}")
    said = house.run("alerts").stdout
    assert said.splitlines() == [
        "1. slack.post_message",
        "2. e-mail through localhost:2525",
    ]
    assert "e-mail through localhost:2525" in house.run("check").stdout


def test_a_test_reaches_each_of_them_and_says_which_it_did_not(house: House) -> None:
    house.environ["SLACK_BOT_TOKEN"] = None
    with MailServer().running() as server:
        mail = f"email: {MAIL} port: {server.port}, encryption: none}}"
        with_alerts(house, 'slack.post_message: {channel: "#ops"}', mail)
        result = house.run("alerts", "--test")
    assert result.exit_code == 1
    first, second = result.stdout.splitlines()
    assert "failed: the account slack is in preview" in first
    assert second.endswith("sent")
    assert "This is a test" in server.messages[0].get_content()
    assert not (house.folder / "data").exists()


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ("slack.post_mesage: {}", "did you mean `slack.post_message`?"),
        ("hubspot.upsert_contact: {}", "there is no `hubspot.upsert_contact` that could tell"),
        ("emial: {}", "did you mean `email`?"),
        ("slack.post_message: {}", "`channel` is missing"),
        ('slack.post_message: {channel: "#ops", text: "x"}', "the text is the alert's own"),
        (f"email: {MAIL} porrt: 1}}", "did you mean `port`?"),
        (f"email: {MAIL} encryption: ssl}}", "must be 'starttls', 'tls' or 'none'"),
        (f"email: {MAIL} user: me}}", "needs `user` and `password`, or neither"),
        (f"email: {MAIL} password: secret-4711}}", "secrets never stand in YAML"),
        (f"email: {MAIL} user: me, password: {{env: UNSET}}}}", "or neither: set UNSET"),
        (
            f"email: {MAIL} user: me, password: {{env: SLACK_BOT_TOKEN}}, encryption: none}}",
            "a password is not sent over a connection that anybody can read",
        ),
        ("email: {to: [], from: a@b, host: h}", "must not be empty"),
        ("email: {to: ops, from: a@b, host: h}", "write an e-mail address"),
        ("7", "an entry of `tell` is"),
    ],
)
def test_each_mistake_is_told_at_its_line(house: House, entry: str, what: str) -> None:
    with_alerts(house, entry)
    with pytest.raises(ConfigurationError) as caught:
        load({name: value for name, value in house.environ.items() if value is not None})
    assert what in str(caught.value)
    line = BRIDGE.count("\n") + 3
    assert f"bridge.yaml:{line}:" in str(caught.value)
    assert "4711" not in str(caught.value)


def test_how_long_an_account_may_rest_is_a_setting(house: House) -> None:
    assert house.config.alerts.resting_after_seconds == 900
    house.write("bridge.yaml", f'{BRIDGE}alerts:\n  resting_after: "5 minutes"\n')
    assert house.config.alerts.resting_after_seconds == 300


def test_an_account_with_a_mistake_of_its_own_is_not_said_to_be_missing(house: House) -> None:
    text = BRIDGE.replace("slack: {", "slack: {base_url: 7, ")
    house.write("bridge.yaml", f"{text}alerts:\n  tell: [slack.post_message: {{channel: x}}]\n")
    with pytest.raises(ConfigurationError, match="base_url") as caught:
        load({name: value for name, value in house.environ.items() if value is not None})
    assert len(caught.value.mistakes) == 1
