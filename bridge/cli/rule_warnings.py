"""What deserves a look in rules that have no mistakes: by themselves, by the day, by the ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

from bridge import regular_files, yaml_text
from bridge.cli.existing import has_tables, ledger_if_any
from bridge.cli.reading import Reading
from bridge.cli.start import lost_secrets
from bridge.cli.variables import Variables
from bridge.config import FILE, MAX_BYTES, Config
from bridge.engine.rule_history import history_warnings
from bridge.errors import BridgeError, Mistake
from bridge.ledger.database import Database
from bridge.ledger.migrate import require_current
from bridge.rules import RuleSet
from bridge.rules.compile import MOST_TOLD
from bridge.rules.conditions import glob
from bridge.rules.lint import over


def warnings_of(reading: Reading, *, history: bool) -> tuple[Mistake, ...]:
    """None where something is wrong. `history`: also by what came in, if there is a ledger."""
    rules = reading.rules
    if not reading.is_right or rules is None:
        return ()
    now = time.time()
    found = [*over(rules, now)]
    if history and reading.config is not None:
        found += _by_history(rules, reading.config, now)
    return tuple(sorted({*rules.warnings, *found})[:MOST_TOLD])


def unrouted_sources(reading: Reading) -> Iterator[Mistake]:
    """What they send is kept, and nothing is done with it."""
    config, rules = reading.config, reading.rules
    if config is None or rules is None or not reading.is_right:
        return
    document = _document(config)
    patterns = [rule.sources or ("*",) for rule in rules.rules if rule.enabled]
    for name in config.sources:
        if not any(glob(name, pattern) for each in patterns for pattern in each):
            what = f"no rule is about the source `{name}`: nothing is done with what it sends"
            kind = config.sources[name].kind
            shared = name != kind and name.startswith(kind)
            wide = f"write `source: {kind}*` in rules that are for it too, or " if shared else ""
            advice = f"{wide}write rules with `source: {name}`"
            yield document.mistake(("sources", name), what, advice, at_key=True)


def sources_without_their_secret(reading: Reading) -> Iterator[Mistake]:
    """What a start refuses, told before; none while there is no ledger, or it is away."""
    config = reading.config
    if config is None or not reading.is_right:
        return
    with suppress(BridgeError), ledger_if_any(config) as database:
        for source in lost_secrets(config, database) if database else ():
            names = " and ".join(Variables(config).wanted_by(source)) or "`secrets`"
            what = (
                f"webhooks of {source.name} were signed with the sender's secret until now, and "
                f"{names} is not set: `showbridge run` and `showbridge web` do not start without"
            )
            advice = "set it again, in .env or wherever it was"
            yield _document(config).mistake(("sources", source.name), what, advice, at_key=True)


def _document(config: Config) -> yaml_text.Document:
    file = config.folder / FILE
    return yaml_text.read(regular_files.read(file, MAX_BYTES).decode("utf-8-sig"), str(file))


def _by_history(rules: RuleSet, config: Config, now: float) -> list[Mistake]:
    """Checking must work before the first start, and while the ledger is away."""
    database = Database(config.database_url)
    try:
        if not has_tables(database):
            return []
        require_current(database)
        return history_warnings(rules, config, database, now)
    except BridgeError:
        return []
    finally:
        database.close()
