"""Prepared requests at a steady rate, whatever the server does meanwhile."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from benchmarks.load import run

PORTION_SECONDS = 0.1


def send_steadily(port: int, requests: Sequence[bytes], seconds: float) -> Counter[int]:
    """How many answers had which status; every tenth of a second a portion is due.

    Over 8 connections; a portion that is not done when the next is due delays nothing.
    """
    statuses: Counter[int] = Counter()
    senders = []
    began = time.monotonic()
    for number, portion in enumerate(_portions(requests, seconds)):
        time.sleep(max(0.0, began + number * PORTION_SECONDS - time.monotonic()))
        sender = threading.Thread(target=_send, args=(port, portion, statuses))
        sender.start()
        senders.append(sender)
    for sender in senders:
        sender.join()
    return statuses


def _portions(requests: Sequence[bytes], seconds: float) -> Iterator[Sequence[bytes]]:
    count = max(1, round(seconds / PORTION_SECONDS))
    for number in range(count):
        begin, end = (len(requests) * at // count for at in (number, number + 1))
        yield requests[begin:end]


def _send(port: int, portion: Sequence[bytes], statuses: Counter[int]) -> None:
    if portion:
        statuses.update(run(port, portion, min(4, len(portion))).statuses)
