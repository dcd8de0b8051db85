"""A short run of the harness: real processes, killed again and again while webhooks come in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.plan import Size
from tests.chaos.report import lines
from tests.chaos.run import Options, run

pytestmark = pytest.mark.xdist_group("processes")

SHORT = Size(kills=9, seconds=12.0, persons=30, rate=6.0)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_was_acknowledged_arrives_once_and_in_order_whatever_is_killed(
    tmp_path_factory: pytest.TempPathFactory, database: str
) -> None:
    # Short: a Unix socket's path may have about 100 characters.
    folder: Path = tmp_path_factory.mktemp("chaos")
    said: list[str] = []
    outcome = run(Options(seed=7, size=SHORT, database=database), folder, said.append)
    told = "\n".join([*said, *lines(outcome)])
    assert outcome.is_kept, told
    assert sum(outcome.happened.kills.values()) == SHORT.kills, told
