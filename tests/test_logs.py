"""Logging never raises: what cannot be written waits, and the work goes on."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.logs import _GatheringHandler, _JsonFormatter


@pytest.fixture
def full(tmp_path: Path) -> Iterator[tuple[logging.Logger, Path]]:
    """A logger whose file is on a disk without room, until `fill` is undone."""
    with Path("/dev/full").open("w") as stream:
        handler = _GatheringHandler(stream, most_kept=1_000)
        handler.setFormatter(_JsonFormatter("test"))
        logger = logging.getLogger(f"test of {tmp_path.name}")
        logger.addHandler(handler)
        yield logger, tmp_path / "log"
        logger.removeHandler(handler)


def make_room(logger: logging.Logger, path: Path) -> None:
    """The same descriptor, with room from now on."""
    (handler,) = logger.handlers
    assert isinstance(handler, _GatheringHandler)
    opened = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(opened, handler._stream.fileno())
    os.close(opened)


def lines(path: Path) -> list[str]:
    return [str(json.loads(line)["message"]) for line in path.read_text().splitlines()]


def test_what_a_full_disk_did_not_take_is_written_once_when_there_is_room(
    full: tuple[logging.Logger, Path],
) -> None:
    logger, path = full
    for number in range(3):
        logger.error("line %d", number)
    make_room(logger, path)
    logger.error("room")
    assert lines(path) == ["line 0", "line 1", "line 2", "room"]


def test_what_waits_for_room_is_bounded_and_the_rest_is_counted(
    full: tuple[logging.Logger, Path],
) -> None:
    logger, path = full
    for number in range(100):
        logger.error("line %d", number)
    make_room(logger, path)
    logger.error("room")
    first, *_, last = lines(path)
    assert first == "line 0"
    assert "bytes of the log are left out" in last
    assert path.stat().st_size < 2_000


def test_a_line_that_cannot_be_made_stops_nobody(full: tuple[logging.Logger, Path]) -> None:
    logger, path = full
    make_room(logger, path)
    # Asked by itself: a runner of tests may have a handler that raises.
    (handler,) = logger.handlers
    handler.handle(logger.makeRecord("test", logging.ERROR, "", 0, "%d", ("no number",), None))
    assert "TypeError" in lines(path)[0]
