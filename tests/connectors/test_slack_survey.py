"""`showbridge check --online` at Slack: the token, its scopes, the channels of the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.connector import Checked, Use
from bridge.testing.vendor import Answer, Reply, Request, Silence, VendorServer
from connectors.slack import Slack, SlackSettings
from tests.connectors.slack_workspace import bot, failed

ALL = "chat:write,channels:read,groups:read,channels:history,reactions:write,users:read"


@dataclass
class App:
    """The app's scopes, and the channels of its workspace."""

    scopes: str = ALL
    channels: list[Mapping[str, Any]] = field(default_factory=list)
    listing: Reply | None = None
    asked: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        headers = {"x-oauth-scopes": self.scopes} if self.scopes else {}
        if request.path == "/api/auth.test":
            return Answer(200, {"ok": True, "bot_id": "B01"}, headers)
        return self.listing or Answer(200, {"ok": True, "channels": self.channels}, headers)


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def vendor(app: App) -> Iterator[VendorServer]:
    with VendorServer(handler=app.answer) as server:
        yield server


def use(action: str = "post_message", **fields: Any) -> Use:
    return Use("A rule", action, {"channel": "#sales", **fields})


def channel(name: str, **more: Any) -> Mapping[str, Any]:
    return {"id": "C0000000001", "name": name, "is_member": True, **more}


def found(vendor: VendorServer, *uses: Use) -> dict[str, Checked]:
    return {one.what: one for one in Slack(bot(vendor.url)).survey(uses)}


def states(checked: Mapping[str, Checked]) -> dict[str, str]:
    return {what: one.state for what, one in checked.items()}


def test_all_that_the_rules_need_is_there(app: App, vendor: VendorServer) -> None:
    app.channels.append(channel("sales"))
    assert states(found(vendor, use(), use("add_reaction"))) == {
        "the bot token": "right",
        "the scope `chat:write` (to post)": "right",
        "the scope `reactions:write` (to add reactions)": "right",
        "the channel #sales": "right",
    }
    assert {request.path for request in vendor.requests} == {
        "/api/auth.test",
        "/api/conversations.list",
    }


def test_scopes_that_the_rules_need_are_named(app: App, vendor: VendorServer) -> None:
    app.scopes = "chat:write"
    checked = found(vendor, Use("A rule", "post_message", {"person": "{{ contact.email }}"}))
    wrong = {what for what, one in checked.items() if one.state == "wrong"}
    assert wrong == {
        "the scope `users:read` (to find people)",
        "the scope `users:read.email` (to find people by their addresses)",
        "the scope `im:write` (to write to people)",
    }
    assert all("OAuth & Permissions" in checked[what].advice for what in wrong)
    looking = checked["the scope `channels:history` (to look whether a message arrived)"]
    assert looking.state == "unknown"


def test_scopes_that_slack_does_not_tell_are_unknown(app: App, vendor: VendorServer) -> None:
    app.scopes = ""
    assert states(found(vendor, use()))["the scope `chat:write` (to post)"] == "unknown"


@pytest.mark.parametrize(
    ("channels", "scopes", "state", "words"),
    [
        ([], ALL, "wrong", "there is no such channel"),
        ([], "chat:write,channels:read", "unknown", "groups:read"),
        ([channel("sales", is_archived=True)], ALL, "wrong", "archived"),
        ([channel("sales", is_member=False)], ALL, "wrong", "/invite"),
        ([channel("sales", is_member=False)], f"{ALL},chat:write.public", "right", ""),
        ([channel("other")], ALL, "wrong", "no such channel"),
    ],
)
def test_what_is_wrong_with_a_channel_is_told_with_what_to_do(
    app: App,
    vendor: VendorServer,
    channels: list[Mapping[str, Any]],
    scopes: str,
    state: str,
    words: str,
) -> None:
    app.channels, app.scopes = channels, scopes
    checked = found(vendor, use())["the channel #sales"]
    assert checked.state == state
    assert words in checked.advice


def test_a_channel_is_known_by_its_id_too(app: App, vendor: VendorServer) -> None:
    app.channels.append(channel("sales"))
    assert states(found(vendor, use(channel="C0000000001")))["the channel C0000000001"] == "right"


def test_a_channel_that_is_filled_in_is_not_asked_about(app: App, vendor: VendorServer) -> None:
    found(vendor, use(channel="#{{ order.currency }}"))
    assert [request.path for request in app.asked] == ["/api/auth.test"]


@pytest.mark.parametrize("listing", [failed("missing_scope"), Answer(503), Silence.DROP])
def test_channels_that_cannot_be_listed_are_unknown(
    app: App, vendor: VendorServer, listing: Reply
) -> None:
    app.listing = listing
    checked = found(vendor, use())["the channel #sales"]
    assert checked.state == "unknown"
    assert "channels:read" in checked.advice


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (failed("invalid_auth"), "wrong"),
        (failed("token_revoked"), "wrong"),
        (Answer(503), "unknown"),
        (Answer(200, "<html>hotel</html>"), "unknown"),
        (Silence.DROP, "unknown"),
    ],
)
def test_where_the_token_is_not_good_nothing_else_is_asked(
    vendor: VendorServer, reply: Reply, state: str
) -> None:
    vendor.script(reply)
    checked = found(vendor, use())
    assert states(checked) == {"the bot token": state}
    assert checked["the bot token"].advice
    assert "xoxb" not in str(checked)


def test_a_webhook_can_be_asked_nothing() -> None:
    settings = SlackSettings(webhook_url=SecretStr("http://127.0.0.1:1/services/x"))
    [checked] = Slack(settings).survey([use()])
    assert checked.state == "unknown"
