"""Refused requests are in the log, but cannot fill it."""

from __future__ import annotations

import logging

import pytest

from bridge.web.refusals import MAX_LINES, MAX_REASONS, WINDOW_SECONDS, Refusals


class Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at


def record(status: int, reason: str | None = None) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": "webhook", "status": status, "reason": reason})


def test_the_first_have_lines_and_the_rest_are_one(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    refusals = Refusals(clock)
    passed = [refusals.filter(record(401, "signature-mismatch")) for _ in range(500)]
    assert passed == [True] * MAX_LINES + [False] * (500 - MAX_LINES)
    refusals.tell_rest()
    assert caplog.records == []
    clock.at = WINDOW_SECONDS
    refusals.tell_rest()
    refusals.tell_rest()
    [line] = caplog.records
    assert line.__dict__["refused"] == {"signature-mismatch": 500 - MAX_LINES}
    assert refusals.filter(record(401))


def test_what_was_taken_always_has_its_line() -> None:
    refusals = Refusals(Clock())
    for _ in range(500):
        refusals.filter(record(401))
    assert all(refusals.filter(record(200)) for _ in range(500))


def test_reasons_are_bounded_too(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    refusals = Refusals(clock)
    for number in range(10_000):
        refusals.filter(record(400, f"reason-{number}"))
    clock.at = WINDOW_SECONDS
    refusals.tell_rest()
    [line] = caplog.records
    assert len(line.__dict__["refused"]) == MAX_REASONS + 1
    assert sum(line.__dict__["refused"].values()) == 10_000 - MAX_LINES
