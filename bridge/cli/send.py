"""`showbridge send`: webhooks as the vendor would send them, signed, over real HTTP."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import urllib3
from rich.console import Console
from rich.text import Text

from bridge.cli import Failure
from bridge.cli.hooks import address, hook_url, receiver, target
from bridge.cli.outgoing import Outgoing, named_samples, own_body, samples
from bridge.cli.screen import clean, counted, screen
from bridge.config import Config, load
from bridge.errors import Malformed, OperatorError
from bridge.regular_files import why

SECONDS = 10.0
AGENT = "showbridge-send"


@click.command("send")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Every sample of every source.")
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help="A body of your own.")
@click.option("--source", help="As which of the configured sources.")
@click.option("--count", default=1, type=click.IntRange(1, 100_000), help="Each so many times.")
@click.option("--same", is_flag=True, help="About the same transactions as before.")
@click.option("--to", metavar="URL", help="Another receiver, or a whole webhook URL.")
@click.option("--forged", is_flag=True, help="Sign with a wrong secret: has to be refused.")
def command(
    names: tuple[str, ...],
    everything: bool,
    file: Path | None,
    source: str | None,
    count: int,
    same: bool,
    to: str | None,
    forged: bool,
) -> None:
    """Send sample webhooks, signed as the vendor signs them; without NAME, list the samples.

    Each time they are about transactions of their own, the same ones for all of a
    command: a refund is that of the purchase beside it. `{{ uuid }}` in a body is
    fresh each time, so nothing counts as a redelivery.
    """
    config = load(os.environ)
    console = screen()
    outgoing = _chosen(config, names, everything, file, source)
    if not outgoing:
        _list(console, samples(config, source))
        return
    sender = Sender(config, to, forged=forged)
    seeds = ["" if same else secrets.token_hex(8) for _ in range(count)]
    results = _send_all(console, sender, outgoing, seeds)
    _conclude(console, results, forged=forged)


def _chosen(
    config: Config,
    names: Sequence[str],
    everything: bool,
    file: Path | None,
    source: str | None,
) -> list[Outgoing]:
    if sum([bool(names), everything, file is not None]) > 1:
        raise click.UsageError("give names, --all or --file, one of the three")
    if file is not None:
        return [own_body(config, _read(file), file.name, source)]
    return samples(config, source) if everything else named_samples(config, names, source)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {why(error)}") from error


def _list(console: Console, known: Sequence[Outgoing]) -> None:
    if not known:
        raise OperatorError("no source is configured; add one to bridge.yaml")
    longest = max(len(sample.source.name) for sample in known)
    console.print("Samples", style="bold")
    for sample in known:
        console.print(f"  {clean(sample.source.name):{longest}}  {clean(sample.name)}")
    console.print("\nSend one with `showbridge send NAME`, each once with `showbridge send --all`.")


@dataclass(frozen=True)
class Answer:
    """What came back. `expected`: accepted, or refused where it was forged."""

    status: int
    said: str
    milliseconds: float
    expected: bool


class Sender:
    """Signs and sends, without redirects or second tries, like the vendors."""

    def __init__(self, config: Config, to: str | None, *, forged: bool) -> None:
        self._base = receiver(config)
        self._to = to
        self._forged = forged
        self._http = urllib3.PoolManager(retries=False, timeout=SECONDS)

    def send(self, outgoing: Outgoing, seed: str) -> Answer:
        """Raises OperatorError where it cannot be signed, Unanswered where nothing answers."""
        source = outgoing.source
        url = target(self._to, source) if self._to else hook_url(self._base, source)
        body = outgoing.body(seed)
        headers = self._signed(outgoing, body)
        began = time.perf_counter()
        try:
            response = self._http.request("POST", url, body=body, headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise _unanswered(url, error) from error
        took = (time.perf_counter() - began) * 1000
        accepted = 200 <= response.status < 300
        wanted = response.status == source.bad_signature_status if self._forged else accepted
        return Answer(response.status, _said(response.data), took, wanted)

    def _signed(self, outgoing: Outgoing, body: bytes) -> Mapping[str, str]:
        source = outgoing.source
        if not source.secrets and not self._forged:
            raise OperatorError(
                f"there is no signing secret for {source.name}: `showbridge run` makes one at its "
                "first start, or set the variable that bridge.yaml names"
            )
        secret = secrets.token_urlsafe(32) if self._forged else source.secrets[0]
        try:
            return {"User-Agent": AGENT, **source.source.sign(body, secret, time.time())}
        except Malformed as error:
            raise OperatorError(
                f"{outgoing.name} cannot be signed as {source.name} signs: {error.reason}"
            ) from error


class Unanswered(Failure):
    """Nothing listens there, or not as a web server does."""

    exit_code = 1


def _unanswered(url: str, error: urllib3.exceptions.HTTPError) -> Unanswered:
    where = address(url)
    if isinstance(
        error, urllib3.exceptions.ConnectTimeoutError | urllib3.exceptions.NewConnectionError
    ):
        return Unanswered(f"nothing answers at {where}; start it with `make run` (or give --to)")
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return Unanswered(f"{where} did not answer within {SECONDS:.0f} seconds")
    return Unanswered(f"{where} broke off: {type(error).__name__}")


def _said(data: bytes) -> str:
    """The receiver's result and reason; of another server, that it said something else."""
    try:
        told = json.loads(data)
        result, reason = told["result"], told.get("reason")
    except (ValueError, TypeError, KeyError, AttributeError):
        return "not an answer of Showbridge"
    return clean(f"{result}: {reason}" if reason else result, 120)


def _send_all(
    console: Console, sender: Sender, outgoing: Sequence[Outgoing], seeds: Sequence[str]
) -> list[Answer]:
    source_width = max(len(each.source.name) for each in outgoing)
    name_width = max(len(each.name) for each in outgoing)
    answers = []
    for each, seed in [(each, seed) for each in outgoing for seed in seeds]:
        answer = sender.send(each, seed)
        answers.append(answer)
        console.print(
            Text.assemble(
                f"{clean(each.source.name):{source_width}}  {clean(each.name):{name_width}}  ",
                (str(answer.status), "green" if answer.expected else "bold red"),
                (f" {answer.milliseconds:5.0f} ms  ", "dim"),
                answer.said,
            )
        )
    return answers


def _conclude(console: Console, answers: Sequence[Answer], *, forged: bool) -> None:
    unexpected = [answer for answer in answers if not answer.expected]
    let_in = [answer for answer in unexpected if 200 <= answer.status < 300]
    console.print()
    if forged and let_in:
        console.print(
            f"DANGER: {counted(len(let_in), 'forged webhook')} accepted. Whoever knows the URL can "
            "send anything; check that it is Showbridge that answers there.",
            style="bold red",
        )
    elif unexpected:
        console.print(f"{len(unexpected)} of {len(answers)} not taken as expected.", style="red")
    elif forged:
        console.print("Refused, as it has to be: a wrong signature gets nothing in.")
    else:
        console.print("Next: `showbridge events` lists what came in and what became of it.")
    if unexpected:
        raise click.exceptions.Exit(1)
