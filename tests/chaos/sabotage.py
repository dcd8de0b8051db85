"""A part of the bridge with one of its safeties taken out: python -m tests.chaos.sabotage web

The harness starts every part through this, most often with nothing taken out.
`--without renewal worker` replaces one function and then runs the usual
command, so that the product itself knows nothing of it.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

_PR_SET_PDEATHSIG = 1


def without_renewal() -> None:
    """A lease lapses while its turn still works, and what that has in hand is taken up at once.

    Where it rests until its call must be over, as it does, a lapsed lease alone does no harm.
    """
    from bridge.engine import drain
    from bridge.engine.lease import Lease
    from bridge.ledger.claim import recover

    def at_once(connection: Any, lane: str, limit: int, pause: float, now: float) -> int:
        return recover(connection, lane, limit, min(pause, 0.0), now)

    Lease._keep = lambda self: None  # type: ignore[method-assign]
    vars(drain)["recover"] = at_once


def without_unique_key() -> None:
    """Each redelivery looks like something new."""
    from bridge.sources.showpass import Showpass

    identify, numbers = Showpass.identify, itertools.count()

    def of_its_own(self: Showpass, webhook: Any) -> Any:
        identity = identify(self, webhook)
        key = f"{identity.idempotency_key}#{os.getpid()}-{next(numbers)}"
        return replace(identity, idempotency_key=key)

    Showpass.identify = of_its_own  # type: ignore[method-assign]


def without_look_up() -> None:
    """Nobody looks whether a message is there already: it is taken for absent."""
    from connectors.slack import Slack

    Slack.find = lambda self, action, item: None  # type: ignore[method-assign]


def without_rewake() -> None:
    """The clock wakes what is due, but never again what was lost on its way through Redis."""
    from bridge.engine.wake import Waker

    Waker.wake_lost = lambda self, lost: None  # type: ignore[method-assign]


SAFETIES: dict[str, Callable[[], None]] = {
    "renewal": without_renewal,
    "unique-key": without_unique_key,
    "look-up": without_look_up,
    "re-wake": without_rewake,
}


def main() -> None:
    arguments = sys.argv[1:]
    # The harness may itself be killed; nothing of it is to stay behind.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if arguments[:1] == ["--without"]:
        SAFETIES[arguments[1]]()
        arguments = arguments[2:]
    from bridge.cli import main as showbridge

    sys.argv = ["showbridge", *arguments]
    showbridge()


if __name__ == "__main__":
    main()
