"""Carries out a plan: sends, kills, changes the weather, lets all come to rest."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.errors import LedgerUnavailable
from tests.chaos.books import open_work
from tests.chaos.installation import Installation, ledger
from tests.chaos.parts import Part
from tests.chaos.plan import CALM, EVERYTHING, Kill, Plan
from tests.chaos.sender import Sender
from tests.chaos.simulator import Simulator

START_SECONDS = 120.0
LONGEST_WAIT_TO_KILL = 60.0
TICK = 0.02


class PlanClock:
    """Seconds of the plan; stands still while something has to be started before it is killed."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._stopped_at: float | None = None

    def __call__(self) -> float:
        now = time.monotonic() if self._stopped_at is None else self._stopped_at
        return now - self._began

    @property
    def stands_for(self) -> float:
        return 0.0 if self._stopped_at is None else time.monotonic() - self._stopped_at

    def stop(self) -> None:
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()

    def go_on(self) -> None:
        if self._stopped_at is not None:
            self._began += self.stands_for
            self._stopped_at = None


@dataclass
class Happened:
    """What was really done, and how long the rest took; `left` is what never drained.

    `missed` are kills whose target did not come up to be killed.
    """

    kills: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    wipes: int = 0
    seconds: float = 0.0
    drained_in: float = 0.0
    left: dict[str, int] = field(default_factory=dict)


class Conductor:
    """One thread starts and kills everything, so that nothing is killed while it is started."""

    def __init__(
        self,
        plan: Plan,
        installation: Installation,
        vendors: Simulator,
        say: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._installation = installation
        self._house = installation.house
        self._vendors = vendors
        self._say = say
        self._clock = PlanClock()
        self._clock.stop()
        self.sender = Sender(plan, installation.port, self._clock)
        self.happened = Happened()

    def run(self, deadline: float) -> None:
        """`deadline`: seconds for everything to come to rest once the plan is carried out."""
        self._until(self._house.is_ready, START_SECONDS)
        if not self._house.is_ready():
            raise RuntimeError(f"not all parts could be started\n{self._house.last_words()}")
        began = time.monotonic()
        self._clock.go_on()
        self.sender.start()
        self._carry_out()
        self.happened.seconds = time.monotonic() - began
        self._vendors.set_faults({"all": CALM})
        self._say(f"{self._clock():5.0f} s  the plan is carried out; faults are off")
        self._drain(deadline)

    def _carry_out(self) -> None:
        kills, wipes = list(self._plan.kills), list(self._plan.wipes)
        weather, told = list(self._plan.weather), 0.0
        end = max([kill.at for kill in kills] + [each.at for each in self._plan.webhooks])
        while kills or self._clock() < end:
            now = self._clock()
            self._house.tend()
            if weather and weather[0][0] <= now:
                self._vendors.set_faults(weather.pop(0)[1])
            if wipes and wipes[0] <= now:
                wipes.pop(0)
                self.happened.wipes += self._installation.redis.flush()
            if kills and kills[0].at <= now and self._is_done_with(kills[0]):
                kills.pop(0)
            if now - told > 10:
                told = now
                self._progress(now)
            time.sleep(TICK)

    def _progress(self, now: float) -> None:
        done, acknowledged = sum(self.happened.kills.values()), len(self.sender.acknowledged)
        self._say(f"{now:5.0f} s  {done} kills, {acknowledged} webhooks acknowledged")

    def _is_done_with(self, kill: Kill) -> bool:
        """False while the target is not up yet; then the plan waits for it."""
        victims = self._victims(kill)
        if victims is None and self._clock.stands_for < LONGEST_WAIT_TO_KILL:
            self._clock.stop()
            return False
        self._clock.go_on()
        if victims is None:
            self.happened.missed += 1
            return True
        wiped = ", wiped" if kill.wipe and kill.target == "redis" else ""
        self._house.note(f"killed: {kill.target}{wiped}")
        for victim in victims:
            self._kill_one(victim, kill)
        self.happened.kills[kill.target] += 1
        return True

    def _victims(self, kill: Kill) -> list[Part | int] | None:
        """Parts, or the number of one process; None while they are not up."""
        if kill.target == EVERYTHING:
            up = [part for part in self._house.of_bridge() if part.is_alive]
            return list(up) or None
        if kill.target == "a web worker":
            children = self._house.parts["web"].children()
            return [children[int(kill.draw * len(children))]] if len(children) > 1 else None
        part = self._house.parts[kill.target]
        up_enough = part.is_ready and (part.name != "web" or len(part.children()) > 1)
        return [part] if up_enough else None

    def _kill_one(self, victim: Part | int, kill: Kill) -> None:
        if isinstance(victim, int):
            os.kill(victim, signal.SIGKILL)
            return
        if victim.name == "redis" and kill.wipe:
            self._installation.redis.wipe_at_start()
        victim.kill(time.monotonic() + kill.back_after)

    def _drain(self, deadline: float) -> None:
        began = time.monotonic()
        database = ledger(self._installation)
        left: dict[str, int] = {}

        def is_at_rest() -> bool:
            nonlocal left
            try:
                left = open_work(database)
            except LedgerUnavailable:
                left = {"the ledger is away": 1}
            if self.sender.left:
                left["webhooks not acknowledged"] = self.sender.left
            time.sleep(0.2)
            return not left

        self._until(is_at_rest, deadline)
        self.sender.stop()
        self.happened.left = left
        self.happened.drained_in = time.monotonic() - began
        database.close()

    def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            self._house.tend()
            time.sleep(TICK)
