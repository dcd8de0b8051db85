"""What operators write by mistake in bridge.yaml, what they are told, and where that leads.

The book in `operators_mistakes/` has the form of those in `marketers_mistakes/`. What the
right text comes to is in `means`: parts of the configuration with their values.
"""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from bridge import config
from bridge.errors import ConfigurationError
from tests.test_marketers_mistakes import Sample, of_book, options_of, plain

SAMPLES = list(of_book(Path(__file__).parent / "operators_mistakes" / "bridge.yaml"))
each_sample = pytest.mark.parametrize(
    "sample", SAMPLES, ids=lambda sample: sample.entry["wrong"].strip()
)


def loaded(text: str, folder: Path) -> config.Config:
    (folder / config.FILE).write_text(text, "utf-8")
    return config.load({"SHOWBRIDGE_DATA": str(folder / "data")}, folder)


def reached(whole: config.Config, path: str) -> Any:
    return reduce(getattr, path.split("."), whole)


@each_sample
def test_what_is_wrong_is_told(sample: Sample, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        loaded(sample.framed(sample.entry["wrong"]), tmp_path)
    assert sample.told == [
        f"{one.line - sample.line}:{one.column - sample.indent} {str(one).partition(': ')[2]}"
        for one in raised.value.mistakes
    ]


@each_sample
def test_what_to_write_instead_stands_in_the_right_text(sample: Sample) -> None:
    for told in sample.told:
        options = options_of(told)
        assert not options or any(one in plain(sample.entry["right"]) for one in options)


@each_sample
def test_the_right_text_means_what_was_wanted(sample: Sample, tmp_path: Path) -> None:
    whole = loaded(sample.framed(sample.entry["right"]), tmp_path)
    assert {path: reached(whole, path) for path in sample.entry["means"]} == sample.entry["means"]
