"""A mail server on loopback that keeps what it is given: STARTTLS, a login, and refusals."""

from __future__ import annotations

import base64
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path


@dataclass
class MailServer:
    """`context` None offers no STARTTLS; `refuse` is what every recipient is answered."""

    context: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    refuse: str = ""
    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    # For each message: whether it came encrypted.
    encrypted: list[bool] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[MailServer]:
        handler = type("Handler", (_Conversation,), {"mail": self})
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
            server.daemon_threads = True
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


class _Conversation(socketserver.StreamRequestHandler):
    mail: MailServer

    def handle(self) -> None:
        self.say("220 ready")
        self.let_in = self.mail.login is None
        while line := self.rfile.readline():
            word, _, rest = line.decode().strip().partition(" ")
            answer = getattr(self, f"do_{word.lower()}", self.do_unknown)(rest)
            if answer is None:
                return
            self.say(answer)

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def do_unknown(self, _rest: str) -> str:
        return "502 unknown"

    def do_ehlo(self, _rest: str) -> str:
        offered = ["250-here"]
        if self.mail.context and not isinstance(self.connection, ssl.SSLSocket):
            offered.append("250-STARTTLS")
        return "\r\n".join([*offered, "250 AUTH PLAIN"])

    def do_starttls(self, _rest: str) -> str | None:
        assert self.mail.context
        self.say("220 go on")
        try:
            self.connection = self.mail.context.wrap_socket(self.connection, server_side=True)
        except OSError:  # the client does not trust us
            return None
        self.rfile.close()
        self.wfile.close()
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        return self._first_after_tls()

    def _first_after_tls(self) -> str | None:
        """The next command's answer: STARTTLS itself was answered before it."""
        line = self.rfile.readline().decode().strip()
        return self.do_ehlo("") if line.lower().startswith("ehlo") else None

    def do_auth(self, rest: str) -> str:
        _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
        self.let_in = (user, password) == self.mail.login
        return "235 welcome" if self.let_in else f"535 {user} is unknown"

    def do_mail(self, _rest: str) -> str:
        return "250 ok" if self.let_in else "530 log in first"

    def do_rcpt(self, _rest: str) -> str:
        return self.mail.refuse or "250 ok"

    def do_rset(self, _rest: str) -> str:
        return "250 ok"

    def do_data(self, _rest: str) -> str:
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        found = message_from_bytes(b"".join(lines), policy=policy.default)
        self.mail.encrypted.append(isinstance(self.connection, ssl.SSLSocket))
        self.mail.messages.append(found)
        return "250 kept"

    def do_quit(self, _rest: str) -> str | None:
        self.say("221 bye")
        return None


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """One for `localhost` that nobody trusts who is not given the file; and a server's context."""
    key, file = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        [*command, *names, "-keyout", str(key), "-out", str(file)], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return file, context
