"""The `showbridge` command: one module per subcommand, imported when it is asked for."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from bridge.cli.lazy import LazyGroup
from bridge.errors import ConfigurationError, LedgerUnavailable, OperatorError
from bridge.version import VERSION

# In the order of `--help`. The lines stand here so that `--help` imports nothing.
_COMMANDS: Mapping[str, str] = {
    "run": "Start everything on this machine.",
    "send": "Send sample webhooks, signed as the vendor signs them.",
    "events": "List what came in and what became of it.",
    "event": "Tell the whole story of one event.",
    "why": "Say why something happened, or did not: an event, a person.",
    "dead": "Show what was given up, and what to type next.",
    "replay": "Route events, or send deliveries, again: one or many.",
    "consent": "Show who was (un)subscribed, on whose word; export it.",
    "check": "Read bridge.yaml and rules.yaml; say every mistake.",
    "rules": "Write, test and publish rules: check, try, diff, publish ...",
    "hubspot": "`hubspot setup`: make the properties that the rules need.",
    "status": "Count what waits and what ended how; show the alerts.",
    "verify": "Check the whole ledger: nothing lost, doubled, out of order.",
    "connectors": "List the actions, and what each of them takes.",
    "accounts": "List the accounts: live, in preview, resting.",
    "alerts": "Say who is told of alerts; test it.",
    "resume": "Let a resting account send again.",
    "web": "Start the receiver alone.",
    "worker": "Start workers alone.",
    "clock": "Start the clock alone.",
}
_INTERRUPTED = 130
# What an operator puts right, whichever file it is about.
_OF_THE_MACHINE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)


class Program(LazyGroup):
    """Turns what a person can put right into a message; everything else stays a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            advice = "\n\n`showbridge check` shows the lines."
            raise Failure(f"the configuration has mistakes\n\n{error}{advice}") from error
        except OperatorError as error:
            raise Failure(str(error)) from error
        except LedgerUnavailable as error:
            raise Failure(f"the ledger cannot be reached: {error}") from error
        except OSError as error:
            if error.errno not in _OF_THE_MACHINE or not error.filename:
                raise
            from bridge.regular_files import why

            raise Failure(f"{error.filename} cannot be used: {why(error)}") from error
        except KeyboardInterrupt:
            raise click.exceptions.Exit(_INTERRUPTED) from None


class Failure(click.ClickException):
    """What the operator has to put right; ends the command with status 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        from bridge.cli.screen import clean_lines

        said = click.style("showbridge:", fg="red", bold=True)
        click.echo(f"{said} {clean_lines(self.message)}", file=file, err=file is None)


@click.group(
    cls=Program,
    lines=_COMMANDS,
    modules="bridge.cli.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Start with `run`; then, in a second terminal, `send --all` and `events`.",
)
@click.version_option(VERSION, message="%(prog)s %(version)s")
def cli() -> None:
    """Take webhooks from Showpass and Showpad, keep every one, and act on them.

    Settings come from the folder `config`, the environment, and the file `.env`
    of this folder, which never overrides the environment.
    """
    from bridge import dotenv_file

    for name, value in dotenv_file.read_dotenv(Path(dotenv_file.NAME)).items():
        os.environ.setdefault(name, value)


def main() -> None:
    """The entry point."""
    # Ledgers, logs, exports and sockets are for their user alone, in our processes and theirs.
    os.umask(0o077)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that knows only ASCII shows `?` for the rest.
            stream.reconfigure(errors="replace")
    cli(prog_name="showbridge")
