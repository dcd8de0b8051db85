"""Whether the key is good, and whether what the rules name is in the account."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bridge.connector import Checked, Delivered, Halted, Rejected, Retry, Use, is_filled_in
from connectors.mailchimp.answers import Answer, refusal
from connectors.mailchimp.directory import Directory, Place, Unresolved
from connectors.mailchimp.fields import fitting
from connectors.mailchimp.items import Subscribe
from connectors.mailchimp.settings import MailchimpSettings


@dataclass(frozen=True)
class Surveyor:
    """Asks; changes nothing, and raises nothing."""

    settings: MailchimpSettings
    ask: Callable[..., Answer]
    directory: Directory

    def survey(self, uses: Sequence[Use]) -> list[Checked]:
        """Each thing once, in the order of the rules; only the key where that is refused."""
        key = self._key()
        if key.state != "right":
            return [key]
        found = {checked.what: checked for use in uses for checked in self._used(use)}
        return [key, *found.values()]

    def _key(self) -> Checked:
        what = "the API key"
        try:
            answer = self.ask("ping.get")
            if answer.ok and answer.body.get("health_status"):
                return Checked(what, "right")
            said = refusal(answer, "")
        except Halted as refused:
            return Checked(what, "wrong", str(refused))
        return Checked(what, "unknown", said.reason if isinstance(said, Retry) else "")

    def _used(self, use: Use) -> Iterator[Checked]:
        store, audience = use.literal("store"), use.literal("audience")
        if store:
            yield self._asked(f"the store `{store}`", lambda: self.directory.store(store))
        if not audience:
            return
        named = self.settings.audience(audience)
        checked = self._asked(f"the audience `{audience}`", lambda: self._audience(named, audience))
        yield checked
        if checked.state == "right" and use.action == "subscribe":
            place = self.directory.place(named, audience)
            yield from self._written(place, use.fields)

    def _audience(self, named: str, audience: str) -> None:
        """What looks like an id is looked up too: its merge fields can be read, or not."""
        self.directory.merge_fields(self.directory.place(named, audience))

    def _written(self, place: Place, fields: Mapping[str, Any]) -> Iterator[Checked]:
        where, lookup = f"of the audience `{place.audience}`", self.directory
        for name, value in _mapping(fields.get("merge_fields")).items():
            what = f"the merge field `{name}` {where}"
            yield self._asked(what, partial(self._fits, place, name, value))
        for category, names in _mapping(fields.get("groups")).items():
            for name in _literals(names):
                what = f"the group `{name}` in `{category}` {where}"
                yield self._asked(what, partial(lookup.group, place, category, name))
        for name in _literals(fields.get("permissions")):
            what = f"the marketing permission `{name}` {where}"
            yield self._asked(what, partial(lookup.permission, place, name))

    def _fits(self, place: Place, name: str, value: Any) -> None:
        field = self.directory.merge_field(place, name)
        written = _written_value(value)
        misfit = fitting(field, written) if written else None
        if isinstance(misfit, Rejected):
            raise Unresolved(misfit)

    def _asked(self, what: str, look: Callable[[], object]) -> Checked:
        try:
            look()
        except Unresolved as why:
            advice = "" if isinstance(why.outcome, Delivered) else why.outcome.reason
            return Checked(what, "unknown" if isinstance(why.outcome, Retry) else "wrong", advice)
        except Halted as refused:
            return Checked(what, "wrong", str(refused))
        return Checked(what, "right")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _literals(names: Any) -> list[str]:
    listed = names if isinstance(names, list) else [names]
    return [name for name in listed if isinstance(name, str) and not is_filled_in(name)]


def _written_value(value: Any) -> Any:
    """As items hold it; nothing where the event fills in any of it."""
    texts = list(value.values()) if isinstance(value, Mapping) else [value]
    if any(isinstance(text, str) and is_filled_in(text) for text in texts):
        return None
    held = Subscribe.model_validate(
        {"audience": "x", "email": "x@example.com", "merge_fields": {"X": value}}
    )
    return held.merge_fields.get("X")
