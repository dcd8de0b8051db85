"""Each file in `mistakes/` has beside it, in a .txt, what a person is told about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import rules
from bridge.errors import ConfigurationError

FILES = sorted((Path(__file__).parent / "mistakes").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_mistake_says_where_what_and_what_would_be_right(
    file: Path, world: rules.World
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        rules.compile_rules(file.read_text("utf-8"), file.name, world)
    assert str(raised.value) == file.with_suffix(".txt").read_text("utf-8").strip()


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 25
