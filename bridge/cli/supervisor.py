"""Keeps processes running in the foreground: starts, restarts, stops them in order."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from bridge.cli.signals import STOPPING, Signals, listening

# A process that ends sooner than this failed to start: the pause doubles each time.
HEALTHY_SECONDS = 5.0
LONGEST_PAUSE = 10.0
# Longer than the slowest call to a vendor may take, and than a request.
STOP_SECONDS = 65.0
_PR_SET_PDEATHSIG = 1


@dataclass
class Part:
    """One process to keep running; `output` takes what it says, None: our own terminal."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    output: IO[bytes] | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started_at: float = field(default=0.0, init=False)
    start_again_at: float = field(default=0.0, init=False)
    pause: float = field(default=0.5, init=False)

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603  # our own commands
            self.command,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            # Ctrl-C reaches us alone, so that the parts can be stopped in order.
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def note_end(self) -> None:
        lived = time.monotonic() - self.started_at
        self.pause = 0.5 if lived >= HEALTHY_SECONDS else min(self.pause * 2, LONGEST_PAUSE)
        self.start_again_at = time.monotonic() + self.pause
        self.process = None

    def ask_to_stop(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def stop(self, seconds: float) -> None:
        """Returns when it has ended, if need be by force after `seconds`."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Supervisor:
    """Parts are started in the order given; the first, which others need, is stopped last."""

    def __init__(self, parts: Sequence[Part], say: Callable[[str], None], where: str = "") -> None:
        self._parts = parts
        self._say = say
        # The end of each sentence about a part that ended: where the reason can be read.
        self._where = where
        self._signals = Signals()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Parts run inside the block, as long as `tend` is called; then they are stopped."""
        with listening((*STOPPING, signal.SIGHUP), waking=(signal.SIGCHLD,)) as self._signals:
            try:
                for part in self._parts:
                    part.start()
                yield
            finally:
                self._stop_all()

    def wait(self, seconds: float) -> None:
        """Until a part ends or a stop is asked for, for so long at most."""
        self._signals.wait(min([seconds, *self._pauses()]))

    def tend(self) -> bool:
        """Restart what ended; False once a stop was asked for."""
        if self._signals.stop:
            return False
        for part in self._parts:
            if part.has_ended():
                self._tell_end(part)
                part.note_end()
            elif part.process is None and time.monotonic() >= part.start_again_at:
                part.start()
        return True

    def _tell_end(self, part: Part) -> None:
        code = part.process.returncode if part.process else 0
        how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
        self._say(f"{part.name} {how}; it is started again{self._where}")

    def _pauses(self) -> Iterator[float]:
        """How long it is until each part that ended is to be started again."""
        for part in self._parts:
            if part.process is None:
                yield max(0.0, part.start_again_at - time.monotonic())

    def _stop_all(self) -> None:
        """All are asked at once, so that each has the whole time; the first part outlives them."""
        deadline = time.monotonic() + STOP_SECONDS
        for part in self._parts[1:]:
            part.ask_to_stop()
        for part in [*self._parts[1:], *self._parts[:1]]:
            part.stop(max(0.5, deadline - time.monotonic()))


def _die_with_parent() -> None:
    """A supervisor that is killed takes its parts along, so that the port comes free (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
