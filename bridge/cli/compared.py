"""Two rule sets over what came in, or over the shipped samples. Reads only."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from bridge.cli.chosen_rules import ChosenRules
from bridge.cli.existing import existing_ledger
from bridge.cli.outgoing import samples
from bridge.cli.screen import full_time
from bridge.config import Config
from bridge.engine.comparing import Comparing, Comparison
from bridge.engine.rehearse import arriving, filled_in
from bridge.engine.rule_pairs import Pair
from bridge.engine.spending import Prices
from bridge.engine.tally import RuleCounts
from bridge.errors import OperatorError
from bridge.ledger.plan import Waiting
from bridge.ledger.recorded import portions, span_since

_SAMPLES = "`--samples` compares with the shipped samples"


@dataclass
class Looked:
    """At what was looked: counted in webhooks. `since` is None where these are samples.

    `names` are what samples are called, by their numbers. Times in Unix seconds.
    """

    since: float | None = None
    webhooks: int = 0
    pruned: int = 0
    quarantined: int = 0
    first: float | None = None
    last: float | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def note(self, waiting: Waiting) -> None:
        self.webhooks += 1
        self.last = waiting.webhook.received_at
        self.first = self.last if self.first is None else self.first


@dataclass(frozen=True)
class Compared:
    """What came of it, by which rules, and at what was looked."""

    before: ChosenRules
    after: ChosenRules
    looked: Looked
    comparison: Comparison

    @property
    def is_same(self) -> bool:
        """The same texts: then nothing was looked at."""
        return self.before.rules.version == self.after.rules.version

    def rules(self, only: str | None) -> list[tuple[Pair, RuleCounts]]:
        """All, or the one that has this name before or after."""
        return [
            (pair, counts)
            for pair, counts in self.comparison.rules
            if only is None or only in {each.name for each in (pair.before, pair.after) if each}
        ]


def compared(
    config: Config,
    before: ChosenRules,
    after: ChosenRules,
    since: float | None,
    *,
    examples: int,
    shown: bool,
) -> Compared:
    """With all that was received since then, or with the samples where that is None.

    `shown`: with a bar on standard error. Raises OperatorError where nothing was received.
    """
    looked = Looked(since)
    comparing = Comparing(
        {name: each.source for name, each in config.sources.items()},
        Prices(
            {name: each.connector for name, each in config.accounts.items()},
            {name: each.settings for name, each in config.accounts.items()},
        ),
        before.rules,
        after.rules,
        examples,
    )
    if before.rules.version != after.rules.version:
        with _settled():
            for waiting in _webhooks(config, looked, shown=shown):
                looked.note(waiting)
                comparing.take(waiting)
    return Compared(before, after, looked, comparing.comparison())


@contextmanager
def _settled() -> Iterator[None]:
    """What is in memory by now stays: nobody has to look again and again whether it may go."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _webhooks(config: Config, looked: Looked, *, shown: bool) -> Iterable[Waiting]:
    if looked.since is None:
        return _samples(config, looked)
    return _recorded(config, looked, looked.since, shown=shown)


def _samples(config: Config, looked: Looked) -> list[Waiting]:
    """As if all came in now, one after the other."""
    now, known = time.time(), samples(config, None)
    looked.names = {str(number): each.name for number, each in enumerate(known, start=1)}
    return [
        replace(arriving(each.source, filled_in(each.text), now), number=number)
        for number, each in enumerate(known, start=1)
    ]


def _recorded(config: Config, looked: Looked, since: float, *, shown: bool) -> Iterator[Waiting]:
    try:
        with existing_ledger(config) as database:
            with database.read() as connection:
                span = span_since(connection, since)
            with _progress(shown=shown) as progress:
                task = progress.add_task("", total=span.most)
                for portion in portions(database, span):
                    looked.pruned += portion.pruned
                    looked.quarantined += portion.quarantined
                    yield from portion.webhooks
                    progress.update(task, completed=portion.until - span.first + 1)
    except OperatorError as error:
        raise OperatorError(f"{error}; {_SAMPLES}") from error
    if not looked.webhooks + looked.pruned + looked.quarantined:
        raise OperatorError(f"nothing was received since {full_time(since)}; {_SAMPLES}")


def _progress(*, shown: bool) -> Progress:
    """On standard error, where that is a terminal."""
    console = Console(stderr=True, highlight=False)
    return Progress(
        TextColumn("comparing"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not shown or not console.is_terminal,
        transient=True,
    )
