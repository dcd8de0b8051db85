"""Whoever connects to our own Redis looks who answers there."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from bridge.cli.embedded_redis import socket_path
from bridge.engine.limits import Limits
from bridge.engine.own_redis import own_url
from bridge.engine.queue import LaneQueue, connect, trouble_with
from tests.servers import running_redis, wait_until

# As far as a client gets that trusts it: each command has the answer OK.
IMPOSTOR = """
import os, socketserver, sys
os.umask(0)
os.setuid(int(sys.argv[2]))
class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        while self.request.recv(65536):
            print("trusted", flush=True)
            self.request.sendall(b"+OK\\r\\n" * 8)
socketserver.ThreadingUnixStreamServer(sys.argv[1], Answer).serve_forever()
"""


@contextmanager
def impostor(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another user listens there, and lets everybody in."""
    other = pwd.getpwnam("nobody").pw_uid
    command = [sys.executable, "-S", "-c", IMPOSTOR, str(path), str(other)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            wait_until(path.exists)
            yield process
        finally:
            process.terminate()


@pytest.fixture
def shared() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sb-", dir="/tmp") as folder:
        Path(folder).chmod(0o1777)
        yield Path(folder)


def test_our_own_redis_is_used(tmp_path: Path) -> None:
    with running_redis(tmp_path):
        redis = connect(own_url(socket_path(tmp_path)))
        assert redis.ping()
        redis.close()


def test_any_name_of_a_folder_leads_to_its_redis() -> None:
    path = "/a folder?peer=x&db=7#signs %41/redis.sock"
    settings = connect(own_url(Path(path))).connection_pool.connection_kwargs
    assert (settings["path"], settings["peer"]) == (path, "own")
    assert "db" not in settings or not settings["db"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can act as another user")
def test_the_socket_of_another_user_is_not_used(shared: Path) -> None:
    path = shared / "redis.sock"
    with impostor(path) as process:
        redis = connect(own_url(path))
        assert "belongs to user" in trouble_with(redis)
        with pytest.raises(RedisError, match="remove it, or set SHOWBRIDGE_DATA"):
            redis.blpop(["rq:queue:showbridge-inbox"], 1)
        assert not LaneQueue(redis).put("inbox", "job-1")
        limits = Limits(redis)
        with pytest.raises(RedisError):
            limits.take(keys=[], args=[0])
        process.terminate()
        assert process.communicate()[0] == "", "not a byte was sent to it"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can act as another user")
def test_a_redis_that_another_user_put_in_the_place_of_ours_is_not_used(shared: Path) -> None:
    path = shared / "redis.sock"
    with running_redis(shared):
        redis = connect(own_url(path))
        assert redis.ping()
    path.unlink(missing_ok=True)
    with impostor(path):
        assert "belongs to user" in trouble_with(redis), "looked at again at each connect"
