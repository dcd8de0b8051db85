"""Who and what is in the workspace: channels by their names, people by their addresses.

https://docs.slack.dev/reference/methods/conversations.list (scopes `channels:read`,
`groups:read`), https://docs.slack.dev/reference/methods/users.lookupByEmail (scope
`users:read.email`), https://docs.slack.dev/reference/methods/conversations.open
(scope `im:write`). What was found is remembered for some minutes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.connector import Outcome, Retry, Suppressed, Unknown
from connectors.slack.answers import CannotLookError, code_of, data_of, inner_of, is_yes, refusal
from connectors.slack.items import CHANNEL_ID, Placed
from connectors.slack.line import Line

FRESH = 600.0
"""The seconds for which an id is believed."""

_NOBODY = ("users_not_found", "user_not_found", "user_disabled", "user_not_visible")


@dataclass
class Directory:
    """One account's."""

    line: Line
    now: Callable[[], float] = time.monotonic
    _channels: dict[str, tuple[str, float]] = field(default_factory=dict)
    _direct: dict[str, tuple[str, float]] = field(default_factory=dict)

    def note(self, channel: str, channel_id: str) -> None:
        """Keep the id that Slack told when a message was posted by the channel's name."""
        self._channels[channel.lstrip("#")] = (channel_id, self.now())

    def channel_id(self, channel: str) -> str:
        """The channel as it is named where nobody knows its id; raises CannotLookError."""
        name = channel.lstrip("#")
        if re.fullmatch(CHANNEL_ID, name):
            return name
        known = self._known(self._channels, name)
        if known is None:
            self._read_channels()
            known = self._known(self._channels, name)
        return known or channel

    def conversation(self, item: Placed) -> str | Outcome:
        """The id of the direct messages with the item's person, or why there is none."""
        address = (item.person or "").casefold()
        known = self._known(self._direct, address)
        if known is not None:
            return known
        found = self._opened(item.person or "")
        if isinstance(found, str):
            self._direct[address] = (found, self.now())
        return found

    def _opened(self, address: str) -> str | Outcome:
        person = self._told("users.lookupByEmail", "user", email=address)
        if not isinstance(person, Mapping):
            return person
        opened = self._told("conversations.open", "channel", users=str(person.get("id")))
        return str(opened.get("id")) if isinstance(opened, Mapping) else opened

    def _told(self, method: str, key: str, **params: Any) -> Mapping[str, Any] | Outcome:
        """What stands under the key of a good answer, which has an id."""
        answer = self.line.ask(method, **params)
        if isinstance(answer, Retry | Unknown):
            return answer
        found = inner_of(data_of(answer), key)
        if is_yes(answer) and isinstance(found.get("id"), str):
            return found
        if code_of(answer) in _NOBODY:
            return Suppressed("nobody in this Slack workspace has this e-mail address")
        return refusal(answer, "", posts=False)

    def _read_channels(self) -> None:
        options = {"types": "public_channel,private_channel", "limit": 1000}
        try:
            for seen in self.line.pages("conversations.list", "channels", **options):
                self.note(str(seen.get("name")), str(seen.get("id", "")))
        except CannotLookError as unseen:
            if isinstance(unseen.outcome, Retry):
                raise

    def _known(self, memory: Mapping[str, tuple[str, float]], name: str) -> str | None:
        found, at = memory.get(name, ("", 0.0))
        return found if found and self.now() - at < FRESH else None
