"""Receivers of webhooks on this machine: with a certificate, or with an attacker's manners."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bridge.testing.vendor import Reply, VendorServer


class SecureVendor(VendorServer):
    """Speaks HTTPS; `names` are the server names that were asked for."""

    def __init__(self, context: ssl.SSLContext, *replies: Reply) -> None:
        super().__init__(*replies)
        self.names: list[str | None] = []
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        # Who turns away at the certificate is no error of the server's.
        setattr(self._http, "handle_error", lambda request, address: None)  # noqa: B010

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])


def certificate_for(name: str, folder: Path) -> tuple[Path, ssl.SSLContext]:
    """The certificate's file, for those who shall trust it, and the server's context."""
    key, file = folder / f"{name}.key", folder / f"{name}.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run(
        [*command, *subject, "-keyout", str(key), "-out", str(file)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return file, context


@contextmanager
def answering(manner: Callable[[socket.socket], None]) -> Iterator[str]:
    """The URL of a server that reads each request and then does what it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, manner), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(listener: socket.socket, manner: Callable[[socket.socket], None]) -> None:
    with suppress(OSError):
        while True:
            connected, _ = listener.accept()
            with connected, suppress(OSError):
                _read(connected)
                manner(connected)


def _read(connected: socket.socket) -> None:
    """A whole request, or the greeting of TLS."""
    said = connected.recv(65_536)
    while not said.startswith(b"\x16"):
        head, end, body = said.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        if end and len(body) >= int(length[1] if length else 0):
            return
        more = connected.recv(65_536)
        if not more:
            return
        said += more
