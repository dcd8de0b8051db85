"""Asking Slack whether the token is good, what it may do, and whether the channels are there.

https://docs.slack.dev/reference/methods/auth.test; the header `x-oauth-scopes` of
every answer names the token's scopes
(https://docs.slack.dev/authentication/installing-with-oauth#scopes). Nothing is posted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.connector import Checked, Halted, Retry, Unknown, Use
from connectors.slack.answers import CannotLookError, is_yes, refusal
from connectors.slack.items import CHANNEL_ID, one_name
from connectors.slack.line import Line

_INSTALL = "under OAuth & Permissions of the app, and install it again"
_LOOKING = ("channels:history", "groups:history")
_LISTING = ("channels:read", "groups:read")


def survey(line: Line, uses: Sequence[Use]) -> Iterator[Checked]:
    """By a bot token; the first thing that is wrong may be the last that is asked."""
    answer = line.ask("auth.test")
    why = _refused(answer)
    if why is not None:
        yield why
        return
    yield Checked("the bot token", "right")
    scopes = _scopes(answer.headers)
    yield from _scopes_checked(scopes, uses)
    yield from _channels_checked(line, scopes, uses)


def survey_of_webhook(uses: Sequence[Use]) -> Iterator[Checked]:
    """Nothing can be asked by a webhook URL."""
    yield Checked(
        "the webhook URL",
        "unknown",
        "Slack takes nothing but messages there: post one to see whether it works",
    )


def _refused(answer: Any) -> Checked | None:
    if isinstance(answer, Retry | Unknown):
        return Checked("the bot token", "unknown", answer.reason)
    if is_yes(answer):
        return None
    try:
        outcome = refusal(answer, "", posts=False)
    except Halted as halted:
        return Checked("the bot token", "wrong", str(halted))
    return Checked("the bot token", "unknown", getattr(outcome, "reason", ""))


def _scopes(headers: Mapping[str, Any]) -> frozenset[str] | None:
    """None where Slack does not tell."""
    for name, value in headers.items():
        if name.lower() == "x-oauth-scopes":
            return frozenset(filter(None, re.split(r"[,\s]+", str(value))))
    return None


def _scopes_checked(scopes: frozenset[str] | None, uses: Sequence[Use]) -> Iterator[Checked]:
    for scope, why in _needed(uses).items():
        what = f"the scope `{scope}` ({why})"
        if scopes is None:
            yield Checked(what, "unknown", "Slack does not tell which scopes the token has")
        elif scope in scopes:
            yield Checked(what, "right")
        else:
            yield Checked(what, "wrong", f"add it {_INSTALL}")
    if scopes is not None and uses and not scopes.intersection(_LOOKING):
        what = "the scope `channels:history` (to look whether a message arrived)"
        advice = f"the bridge works without it, but cannot look; add it {_INSTALL}"
        yield Checked(what, "unknown", advice)


def _needed(uses: Sequence[Use]) -> Mapping[str, str]:
    needed: dict[str, str] = {}
    for use in uses:
        if use.action == "add_reaction":
            needed.setdefault("reactions:write", "to add reactions")
        else:
            needed.setdefault("chat:write", "to post")
        if use.fields.get("person") and use.action != "add_reaction":
            needed.setdefault("users:read", "to find people")
            needed.setdefault("users:read.email", "to find people by their addresses")
            needed.setdefault("im:write", "to write to people")
    return needed


def _channels_checked(
    line: Line, scopes: frozenset[str] | None, uses: Sequence[Use]
) -> Iterator[Checked]:
    named = dict.fromkeys(
        one_name(name) for name in (use.literal("channel") for use in uses) if name
    )
    if not named:
        return
    try:
        known = _listed(line, scopes)
    except CannotLookError as unseen:
        advice = f"{unseen.outcome.reason}; add the scope `channels:read` {_INSTALL}"
        yield from (Checked(f"the channel {name}", "unknown", advice) for name in named)
        return
    for name in named:
        yield _channel(name, known.get(name.lstrip("#")), scopes)


def _channel(name: str, found: Mapping[str, Any] | None, scopes: frozenset[str] | None) -> Checked:
    what = f"the channel {name}"
    sees_private = scopes is None or "groups:read" in scopes
    if found is None and not sees_private:
        advice = (
            "no public channel has this name; where it is a private one, invite the bot, "
            f"and add the scope `groups:read` {_INSTALL}, so that it can be checked"
        )
        return Checked(what, "unknown", advice)
    if found is None:
        advice = "there is no such channel; where it is a private one, invite the bot"
        return Checked(what, "wrong", advice)
    if found.get("is_archived") is True:
        return Checked(what, "wrong", "it is archived: name another one")
    if found.get("is_member") is True or (scopes and "chat:write.public" in scopes):
        return Checked(what, "right")
    return Checked(what, "wrong", "the bot is not in it: type `/invite @its-name` there")


def _listed(line: Line, scopes: frozenset[str] | None) -> Mapping[str, Mapping[str, Any]]:
    """By name and by id; raises CannotLookError."""
    kinds = {"channels:read": "public_channel", "groups:read": "private_channel"}
    may = [kind for scope, kind in kinds.items() if scopes is None or scope in scopes]
    options = {"types": ",".join(may or ["public_channel"]), "limit": 1000}
    found: dict[str, Mapping[str, Any]] = {}
    for one in line.pages("conversations.list", "channels", **options):
        found[str(one.get("name"))] = one
        if re.fullmatch(CHANNEL_ID, str(one.get("id"))):
            found[str(one["id"])] = one
    return found
