"""The address of the Redis that we start ourselves; whoever connects looks who answers there.

Anybody may put a socket into a folder that all share. A Redis of somebody
else's would take our jobs and say how fast calls may go.
"""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path
from urllib.parse import quote, urlsplit

from redis import Redis
from redis.connection import UnixDomainSocketConnection

# What stands behind the address of a socket at which only our own user may answer.
_OWN = "peer=own"
_ROOT = 0


def own_url(path: Path) -> str:
    return f"unix://{quote(str(path))}?{_OWN}"


def is_own(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "unix" and _OWN in parts.query.split("&")


class OwnConnection(UnixDomainSocketConnection):
    """Refuses, at each connect, what another user listens at; root may do anything anyhow."""

    def __init__(self, peer: str = "", **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[no-untyped-call]  # redis-py has no types
        self.peer = peer

    def _connect(self) -> socket.socket:
        connected: socket.socket = super()._connect()  # type: ignore[no-untyped-call]
        owner = _owner(connected, self.path)
        if owner not in (os.getuid(), _ROOT):
            connected.close()
            # redis-py makes an error of its own of it, which engine and commands know.
            raise PermissionError(
                f"{self.path} belongs to user {owner}, not to this one (user {os.getuid()}), and "
                "is not used: remove it, or set SHOWBRIDGE_DATA to a folder of this user alone"
            )
        return connected


def _owner(connected: socket.socket, path: str) -> int:
    """Who listens, as the kernel knows; where it does not say so, whose file the socket is.

    The user of `listen` counts: https://man7.org/linux/man-pages/man7/unix.7.html, SO_PEERCRED.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return os.lstat(path).st_uid
    told = connected.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
    _, owner, _ = struct.unpack("3i", told)
    return int(owner)


def own_client(url: str, timeout: float) -> Redis:
    return Redis.from_url(
        url,
        connection_class=OwnConnection,
        socket_connect_timeout=timeout,
        socket_timeout=timeout,
    )
