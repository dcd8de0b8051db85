"""`showbridge rules diff` over a month of a busy shop: python -m benchmarks.diff

A ledger with 100,000 recorded webhooks, a realistic mix of all samples, and 20
rules of which three are changed: another amount, another text, and one that is
done two days later unless there is a refund. The command runs as a process of
its own, some times; told is the fastest, with its largest memory, and what it
says is different.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.recorded import fill
from bridge.config import load, world
from bridge.ledger.database import Database
from bridge.ledger.migrate import migrate
from bridge.ledger.rule_versions import publish
from bridge.rule_files import read_files
from tests.servers import running_postgresql

SECRETS = {"SHOWPASS_SECRETS": "for-the-bench", "SHOWPAD_SECRETS": "for-the-bench"}
BRIDGE = """\
sources:
  showpass: {secrets: {env: SHOWPASS_SECRETS}}
  showpad: {secrets: {env: SHOWPAD_SECRETS}}
accounts:
  hubspot: {access_token: {env: HUBSPOT_ACCESS_TOKEN}}
  slack: {bot_token: {env: SLACK_BOT_TOKEN}}
  mailchimp: {api_key: {env: MAILCHIMP_API_KEY}}
"""
PEOPLE = 30_000


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="showbridge-diff-") as name, _database(options) as url:
        folder = Path(name)
        environ = _installed(folder, url)
        began = time.perf_counter()
        _fill(environ, options.events)
        print(f"{options.events:,} webhooks kept in {time.perf_counter() - began:.0f} s")
        draft = folder / "draft.yaml"
        draft.write_text(rules(changed=True))
        runs = [_run(environ, draft) for _ in range(options.rounds)]
        _report(runs)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    return parser.parse_args()


@contextmanager
def _database(options: argparse.Namespace) -> Iterator[str | None]:
    if options.postgresql:
        with running_postgresql() as url:
            yield url
    else:
        yield None


def rules(*, changed: bool) -> str:
    """Twenty: about purchases by amount, ticket and consent, refunds, transfers, courses."""
    amount, words = (250, "paid") if changed else (100, "spent")
    later = "    after: 2 days\n    unless: invoice.refund\n" if changed else ""
    made = ["rules:"]
    for number in range(8):
        where = f"{{order.total: {{at_least: {amount if number == 0 else 50 * number}}}}}"
        made.append(_rule(f"Orders {number}", "invoice.purchase", where, "hubspot", number))
    for number, kind in enumerate(("VIP", "Backstage", "Student", "Standing")):
        said = words if number == 0 else "took"
        where = f"{{tickets.type: {kind}}}"
        text = f"{{{{ contact.name or 'Someone' }}}} {said} {{{{ order.total | money }}}}: {kind}"
        made.append(_rule(f"Tickets {kind}", "invoice.purchase", where, "slack", number, text))
    where = "{contact.consent: true}"
    made.append(_rule("Newsletter", "invoice.purchase", where, "mailchimp", 0) + later)
    for number, event in enumerate(
        ("invoice.refund", "invoice.void", "invoice.transfer", "invoice.transferred")
    ):
        made.append(_rule(f"Told {event}", event, "{order.total: {at_least: 0}}", "slack", number))
    for number, event in enumerate(
        ("course-completed", "shared-space-created", "shared-space-user-added")
    ):
        where = "{contact.email: {present: true}}"
        made.append(_rule(f"Showpad {event}", event, where, "slack", number, source="showpad"))
    return "\n".join(made)


def _rule(  # noqa: PLR0913, RUF100  # one for each part
    name: str,
    event: str,
    where: str,
    account: str,
    number: int,
    text: str = "{{ contact.name or 'Someone' }}",
    source: str = "showpass",
) -> str:
    steps = {
        "hubspot": "hubspot.upsert_contact: {email: '{{ contact.email }}', "
        f"properties: {{firstname: '{{{{ contact.first_name }}}}', level: '{number}'}}}}",
        "slack": f'slack.post_message: {{channel: "#room-{number}", text: "{text}"}}',
        "mailchimp": "mailchimp.subscribe: {audience: newsletter, email: '{{ contact.email }}'}",
    }
    return (
        f"  - name: {name}\n    when: {{source: {source}, event: {event}, where: {where}}}\n"
        f"    do:\n      - {steps[account]}\n"
    )


def _installed(folder: Path, url: str | None) -> dict[str, str]:
    """What the command's environment says beside the rest."""
    config = folder / "config"
    config.mkdir()
    (config / "bridge.yaml").write_text(BRIDGE)
    (config / "rules.yaml").write_text(rules(changed=False))
    own = {"SHOWBRIDGE_CONFIG": str(config), "SHOWBRIDGE_DATA": str(folder / "data")}
    return {**SECRETS, **own, **({"DATABASE_URL": url} if url else {})}


def _fill(environ: dict[str, str], count: int) -> None:
    config = load(environ)
    config.data.mkdir(exist_ok=True)
    database = Database(config.database_url)
    migrate(database)
    live = read_files(config.folder).compiled(world(config))
    with database.write() as connection:
        publish(connection, live.version, live.files, author="bench", how="saved", now=time.time())
    fill(database, {name: each.source for name, each in config.sources.items()}, count, PEOPLE)
    database.close()


@dataclass(frozen=True)
class Run:
    """One run of the command; `memory` in bytes at its peak."""

    seconds: float
    processor_seconds: float
    memory: int
    said: Any


def _run(environ: dict[str, str], draft: Path) -> Run:
    command = [sys.executable, "-m", "bridge", "rules", "diff", str(draft), "--json"]
    began = time.perf_counter()
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(
            [*command, "--since", "31 days"], stdout=output, env={**os.environ, **environ}
        ) as process,
    ):
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        output.seek(0)
        said = json.loads(output.read())
    assert process.returncode == 0, said
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, said)


def _report(runs: list[Run]) -> None:
    best = min(runs, key=lambda run: run.seconds)
    events = best.said["events"]
    print(f"{events:,} events, {best.said['different']:,} of them different")
    print(f"fastest of {len(runs)}: {best.seconds:.1f} s, {events / best.seconds:,.0f} events/s")
    print("all: " + ", ".join(f"{run.seconds:.1f} s" for run in runs))
    print(f"processor time: {best.processor_seconds:.1f} s")
    print(f"peak memory: {max(run.memory for run in runs) / 1e6:.0f} MB")
    for rule in best.said["rules"]:
        if rule["standing"] != "same":
            kinds = ", ".join(f"{rule[kind]:,} {kind}" for kind in ("added", "removed", "changed"))
            print(f"  {rule['name']} ({rule['standing']}): {kinds}")


if __name__ == "__main__":
    main()
