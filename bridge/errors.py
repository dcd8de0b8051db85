"""Every error of the bridge, drawn by who recovers from it.

    BridgeError
    ├── OperatorError          whoever runs the bridge: configuration, machine, database
    │   └── ConfigurationError mistakes in YAML files, all of them at once
    ├── SenderError            whoever sent the webhook; becomes an HTTP answer
    │   ├── Malformed          400
    │   ├── VerificationFailed 401
    │   └── TooLarge           413
    ├── LedgerUnavailable      time, or the operator: the sender is asked to come back (503)
    └── LeaseLost              nobody: another worker has the lane now, this turn just ends

A destination's refusals are no errors of the bridge: see the outcomes in
`bridge.connector`. No message holds a body, an address, a token or a signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class BridgeError(Exception):
    """Anything the bridge raises on purpose."""


class OperatorError(BridgeError):
    """Says what is wrong and what to do; shown without a traceback."""


@dataclass(frozen=True, order=True)
class Mistake:
    """One thing wrong in a file that a person wrote; lines and columns start at 1."""

    file: str
    line: int
    column: int
    what: str
    advice: str = ""

    def __str__(self) -> str:
        advice = f"; {self.advice}" if self.advice else ""
        return f"{self.file}:{self.line}:{self.column}: {self.what}{advice}"


class ConfigurationError(OperatorError):
    """All the mistakes of one reading, in the order of the file."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class SenderError(BridgeError):
    """The sender's webhook cannot be taken; `reason` is short, machine-readable and public."""

    status = 400

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Malformed(SenderError):
    """The body is not what the source's documentation promises."""


class VerificationFailed(SenderError):
    """The signature is missing, ill-formed, or by none of the secrets."""

    status = 401


class TooLarge(SenderError):
    """The body is over the cap, as sent or as decompressed."""

    status = 413


class LedgerUnavailable(BridgeError):
    """The ledger could not promise durability; nothing was acknowledged."""


class LeaseLost(BridgeError):
    """A lane's lease lapsed during a turn; what was claimed belongs to the next worker."""
