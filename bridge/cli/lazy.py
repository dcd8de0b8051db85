"""A group of commands, one module each, imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """`lines` has each command's help, in the order of `--help`, so that help imports nothing.

    The command `name` is the `command` of the module `modules` + `name`.
    """

    def __init__(self, *args: Any, lines: Mapping[str, str], modules: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lines = lines
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._lines)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lines:
            from bridge.wording import meant

            ctx.fail(f"there is no command `{cmd_name}`; {meant(cmd_name, self._lines)}")
        command = importlib.import_module(f"{self._modules}{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101  # the convention of these modules
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lines.items()))
