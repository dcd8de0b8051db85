"""What is to be written of a deal, by the account's own properties and pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.connector import Halted, Rejected
from connectors.hubspot.deal_stages import DEFAULT, Standing, destination, move
from connectors.hubspot.deals import CURRENCY, NAME, OBJECT, MoveDeal, UpsertDeal
from connectors.hubspot.definitions import Pipeline, Property
from connectors.hubspot.schema import Schema
from connectors.hubspot.values import fitting


@dataclass(frozen=True)
class Planned:
    """What is to be written of one item, and what to tell beside."""

    properties: Mapping[str, str]
    remark: str
    deal: str


@dataclass(frozen=True)
class Planner:
    """Its methods raise NotRead and Halted."""

    schema: Schema

    def unusable(self, id_property: str) -> Rejected | None:
        known = self.schema.property(OBJECT, id_property)
        if known is None and self.schema.is_known(OBJECT):
            return Rejected(
                f"HubSpot's deals have no property `{id_property}`; "
                "`showbridge hubspot setup` can create it"
            )
        if known is not None and not known.unique:
            return Rejected(
                f"HubSpot lets two deals have the same `{id_property}`, so that a deal could be "
                "there twice; name another property in the rule, and `showbridge hubspot setup` "
                "creates it with unique values"
            )
        return None

    def pipelines(self) -> Sequence[Pipeline]:
        found = self.schema.pipelines(OBJECT)
        if found is None:
            raise Halted(
                "HubSpot's access token may not read the deal pipelines; "
                "grant it crm.schemas.deals.read"
            )
        return found

    def plan(
        self, pipelines: Sequence[Pipeline], item: MoveDeal, now: Standing | None
    ) -> Planned | Rejected:
        if now is None and not isinstance(item, UpsertDeal):
            return Rejected(
                f"HubSpot has no deal whose `{item.id_property}` is this event's; "
                "let `upsert_deal` create it before"
            )
        to = destination(pipelines, item.wanted, now)
        if isinstance(to, Rejected):
            pipelines = self._anew(item, now)
            to = destination(pipelines, item.wanted, now)
        if isinstance(to, Rejected):
            return to
        step = move(pipelines, now, to, item.backwards)
        named = {} if now else {NAME: item.id}
        own = {item.id_property: item.id} if isinstance(item, UpsertDeal) else {}
        typed = self._typed({**named, **item.written, **own})
        if isinstance(typed, Rejected):
            return typed
        return Planned({**typed, **step.properties}, step.remark, now.deal if now else "")

    def _anew(self, item: MoveDeal, now: Standing | None) -> Sequence[Pipeline]:
        """With what was made since they were read: who asks for a missing stage has them reread."""
        own = now.pipeline if now else ""
        self.schema.stage(OBJECT, item.pipeline or own or DEFAULT, item.stage)
        return self.pipelines()

    def _typed(self, properties: Mapping[str, str]) -> dict[str, str] | Rejected:
        """As the properties take them."""
        typed = {}
        for name, value in properties.items():
            fit = self._fitting(name, value)
            if isinstance(fit, Rejected):
                return fit
            typed[name] = fit
        return typed

    def _fitting(self, name: str, value: str) -> str | Rejected:
        about = self.schema.property(OBJECT, name)
        if about is None and not self.schema.is_known(OBJECT):
            return value
        if name == CURRENCY and (about is None or not _has(about, value)):
            return Rejected(
                f"this HubSpot account does not know the currency {value}; add it in HubSpot "
                "(Settings, Account Defaults, Currency), or take `currency` out of the rule"
            )
        if about is None:
            return Rejected(
                f"HubSpot's deals have no property `{name}`; "
                "`showbridge hubspot setup` can create it"
            )
        fit = fitting(about, value)
        anew = self.schema.property_anew(OBJECT, name) if isinstance(fit, Rejected) else None
        return fitting(anew, value) if anew else fit


def _has(about: Property, currency: str) -> bool:
    return not about.options or any(each.value == currency for each in about.options)
