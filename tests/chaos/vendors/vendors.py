"""All vendors together: each call is counted, admitted, done and answered, or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.chaos.vendors.faults import Fate, Faults
from tests.chaos.vendors.hubspot import PROPERTIES, HubSpot
from tests.chaos.vendors.limits import Window
from tests.chaos.vendors.mailchimp import Mailchimp
from tests.chaos.vendors.messages import Answer, Request
from tests.chaos.vendors.record import Record
from tests.chaos.vendors.slack import Slack

RESET = Answer(0)
"""In place of an answer: the connection is reset."""


class Vendor(Protocol):
    def endpoint(self, request: Request) -> str: ...
    def admit(self, request: Request, fate: Fate) -> Answer | None: ...
    def throttled(self, fate: Fate) -> Answer: ...
    def broken(self, fate: Fate) -> Answer: ...
    def take(self, request: Request, fate: Fate) -> Answer: ...


@dataclass(frozen=True)
class Limits:
    hubspot_calls: int = 100
    hubspot_seconds: float = 10.0
    slack_burst: int = 5
    mailchimp_at_once: int = 10


@dataclass
class Vendors:
    faults: Faults
    limits: Limits
    now: Callable[[], float]
    record: Record = field(init=False)
    hubspot: HubSpot = field(init=False)
    slack: Slack = field(init=False)
    mailchimp: Mailchimp = field(init=False)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As new; the rates of faults stay, and their draws begin again."""
        limits = self.limits
        self.record = Record(self.now)
        self.faults.drawn.clear()
        window = Window(limits.hubspot_calls, limits.hubspot_seconds, self.now)
        self.hubspot = HubSpot(self.record, window)
        self.slack = Slack(self.record, self.now, limits.slack_burst)
        self.mailchimp = Mailchimp(self.record, limits.mailchimp_at_once)

    async def take(self, request: Request, is_gone: Callable[[], bool]) -> Answer:
        """`is_gone` says whether the caller hung up: then what is not yet done stays undone."""
        name = _name(request.path)
        if name is None:
            return self._control(request)
        if request.path.startswith(PROPERTIES):
            # Asked for once in a while, and nobody's effect: neither counted nor disturbed.
            return self.hubspot.properties()
        if name != "mailchimp":
            return await self._take(name, request, is_gone)
        vendor = self.mailchimp
        vendor.under_way += 1
        try:
            return await self._take(name, request, is_gone)
        finally:
            vendor.under_way -= 1

    async def _take(self, name: str, request: Request, is_gone: Callable[[], bool]) -> Answer:
        vendor: Vendor = getattr(self, name)
        record, fate = self.record, self.faults.draw(name)
        record.calls[f"{name} {vendor.endpoint(request)}"] += 1
        refused = vendor.admit(request, fate)
        if refused is not None:
            return refused
        if fate.fault:
            record.faults[f"{name} {fate.fault}"] += 1
        await asyncio.sleep(fate.seconds * fate.work_at)
        if fate.fault == "throttle":
            return vendor.throttled(fate)
        if fate.fault == "before":
            return vendor.broken(fate)
        if is_gone():
            record.faults[f"{name} hung up on"] += 1
            return RESET
        answer = vendor.take(request, fate)
        await asyncio.sleep(fate.seconds * (1 - fate.work_at))
        if fate.fault == "reset":
            return RESET
        return vendor.broken(fate) if fate.fault == "after" else answer

    def _control(self, request: Request) -> Answer:
        match request.method, request.path.removeprefix("/_control/"):
            case "GET", "effects":
                return Answer(
                    200, {"effects": self.record.since(int(request.query.get("since", 0)))}
                )
            case "GET", "counters":
                return Answer(200, self.record.counters())
            case "POST", "faults":
                self.faults.set(request.data)
                return Answer(200, self.faults.as_object())
            case "POST", "reset":
                self.reset()
                return Answer(200, {})
            case "POST", "people":
                self._add_people(request.data)
                return Answer(200, {})
        return Answer(404, {"error": f"nobody listens at {request.path}"})

    def _add_people(self, people: dict[str, Any]) -> None:
        """`hubspot`: addresses; `mailchimp`: statuses by address, by audience."""
        for email in people.get("hubspot", []):
            self.hubspot.add(email, {})
        for audience, members in people.get("mailchimp", {}).items():
            for email, status in members.items():
                self.mailchimp.add(audience, email, status)


def _name(path: str) -> str | None:
    for start, name in (("/crm/", "hubspot"), ("/api/", "slack"), ("/3.0/", "mailchimp")):
        if path.startswith(start):
            return name
    return None
