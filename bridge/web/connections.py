"""Who is connected, what they may hold, and who goes first if there are too many.

A genuine webhook arrives within milliseconds. So if there are too many, the
connection goes that has been silent or has kept the server waiting longest.
"""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from bridge.web.framing import MAX_SMALL, Framing

MAX_CONNECTIONS = 1000
MAX_FOR_EACH_ADDRESS = 400
MIN_CONNECTIONS = 50
# Of the files that a process may open, for all but its clients.
OTHER_FILES = 100
# Of requests that have arrived in part or are being answered, in each process.
MAX_HELD_BYTES = 32_000_000


def max_connections() -> int:
    """As many as may be open beside other files, of which it first allows itself enough."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + OTHER_FILES
    if allowed == resource.RLIM_INFINITY or allowed >= wanted:
        return MAX_CONNECTIONS
    allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return max(MIN_CONNECTIONS, allowed - OTHER_FILES)


class Stage(Enum):
    """What a connection waits for, in the order of its life."""

    ARRIVING = "the rest of a request, or the first byte of the first"
    ANSWERING = "its answer"
    IDLE = "another request"
    PARTING = "its client to read the last answer and hang up"
    CLOSED = "nothing"


@dataclass(eq=False)
class Connection:
    """One client. `address` is what it is counted by, `peer` who connected.

    An empty `address` is a proxy that the operator named: it speaks for many and
    is not counted. `since` is when its stage began, by a monotonic clock.
    """

    sock: socket.socket
    peer: tuple[str, int]
    server: tuple[str, int]
    address: str
    framing: Framing
    since: float
    stage: Stage = Stage.ARRIVING
    received: bytearray = field(default_factory=bytearray)
    in_hand: int = 0
    """Bytes of the request that is being answered."""
    has_ended: bool = False
    """The client sends nothing more."""
    is_watched: bool = False
    was_told_to_continue: bool = False


class Connections:
    """All connections of one process, by stage and address, each in the order of `since`."""

    def __init__(
        self,
        max_connections: int = MAX_CONNECTIONS,
        max_for_each_address: int = MAX_FOR_EACH_ADDRESS,
        max_held_bytes: int = MAX_HELD_BYTES,
        usual_size: int = MAX_SMALL,
    ) -> None:
        self.held_bytes = 0
        self._max_connections = max_connections
        self._max_for_each_address = max_for_each_address
        self._max_held_bytes = max_held_bytes
        self._usual_size = usual_size
        self._all: dict[Connection, None] = {}
        self._stages: dict[Stage, dict[Connection, None]] = {stage: {} for stage in Stage}
        self._addresses: dict[str, dict[Connection, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._all))

    def add(self, connection: Connection) -> None:
        self._all[connection] = None
        self._stages[connection.stage][connection] = None
        self._addresses.setdefault(connection.address, {})[connection] = None

    def remove(self, connection: Connection) -> None:
        """It stays closed, whatever is still under way for it."""
        if connection in self._all:
            del self._all[connection]
            del self._stages[connection.stage][connection]
            connection.stage = Stage.CLOSED
            self._leave_address(connection)
            self.take(connection, len(connection.received))
            self.let_go(connection)

    def move(self, connection: Connection, stage: Stage, since: float) -> None:
        """It becomes the youngest of its new stage, and of its address."""
        del self._stages[connection.stage][connection]
        connection.stage, connection.since = stage, since
        self._stages[stage][connection] = None
        theirs = self._addresses[connection.address]
        del theirs[connection]
        theirs[connection] = None

    def rename(self, connection: Connection, address: str) -> None:
        """Count it by another address: whom a proxy says it speaks for."""
        if address != connection.address:
            self._leave_address(connection)
            connection.address = address
            self._addresses.setdefault(address, {})[connection] = None

    def hold(self, connection: Connection, data: bytes) -> None:
        connection.received += data
        self.held_bytes += len(data)

    def take(self, connection: Connection, count: int) -> bytes:
        """The first `count` bytes, to be answered; they count as held until `let_go`."""
        with memoryview(connection.received) as received:
            taken = bytes(received[:count])
        del connection.received[:count]
        connection.in_hand += count
        return taken

    def skip(self, connection: Connection, count: int) -> None:
        """Forget the first `count` bytes."""
        self.take(connection, count)
        self.held_bytes -= count
        connection.in_hand -= count

    def let_go(self, connection: Connection) -> None:
        """What was taken is answered."""
        self.held_bytes -= connection.in_hand
        connection.in_hand = 0

    def overdue(self, stage: Stage, before: float) -> list[Connection]:
        """Those whose stage began earlier."""
        found = []
        for connection in self._stages[stage]:
            if connection.since >= before:
                break
            found.append(connection)
        return found

    def has(self, stage: Stage) -> bool:
        return bool(self._stages[stage])

    def one_too_many(self, newest: Connection) -> Connection | None:
        """Which one is to be closed now that `newest` has come; None if all have room."""
        theirs = self._addresses[newest.address]
        if newest.address and len(theirs) > self._max_for_each_address:
            return _first_to_go(each for each in theirs if each is not newest)
        if len(self._all) > self._max_connections:
            return self.first_to_go(newest) or newest
        return None

    def first_to_go(self, newest: Connection | None = None) -> Connection | None:
        """Which of all is closed to make room; None if all others are being answered."""
        oldest = (
            next((each for each in stage if each is not newest), None)
            for stage in self._stages.values()
        )
        return _first_to_go(each for each in oldest if each)

    def too_large_to_hold(self) -> Connection | None:
        """Which request is given up while too many bytes are held: the largest in part.

        None if no large one is among them: those of the usual size are never given up.
        """
        if self.held_bytes <= self._max_held_bytes:
            return None
        arriving = self._stages[Stage.ARRIVING]
        large = [each for each in arriving if len(each.received) > self._usual_size]
        return max(large, key=lambda connection: len(connection.received), default=None)

    def _leave_address(self, connection: Connection) -> None:
        theirs = self._addresses[connection.address]
        del theirs[connection]
        if not theirs:
            del self._addresses[connection.address]


def _first_to_go(connections: Iterable[Connection]) -> Connection | None:
    """Who has an answer already, else who has been silent or slow for longest."""
    may_go = [each for each in connections if each.stage is not Stage.ANSWERING]
    return min(may_go, key=lambda each: (each.stage is not Stage.PARTING, each.since), default=None)
