"""Waiting that a signal ends at once, without polling."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

STOPPING = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Signals:
    """`stop` is set once one of the stopping signals came; for the main thread.

    A handler may run at any instruction, also inside a lock that it would need
    itself, as `threading.Event` has one. So it sets a plain flag, and Python
    writes to a pipe that `wait` listens to.
    """

    stop: bool = False
    _reader: int = -1

    def wait(self, seconds: float) -> None:
        """Until any signal that is listened for comes, for so long at most."""
        select.select([self._reader], [], [], seconds)
        with suppress(BlockingIOError):
            os.read(self._reader, 4096)

    def request_stop(self, *_: object) -> None:
        self.stop = True


@contextmanager
def listening(
    stopping: Sequence[signal.Signals] = STOPPING, waking: Sequence[signal.Signals] = ()
) -> Iterator[Signals]:
    """Listen inside the block for signals that stop, and for those that only end a wait."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signals = Signals(_reader=reader)
    previous = {number: signal.signal(number, signals.request_stop) for number in stopping}
    previous |= {number: signal.signal(number, lambda *_: None) for number in waking}
    heard = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield signals
    finally:
        signal.set_wakeup_fd(heard)
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)
