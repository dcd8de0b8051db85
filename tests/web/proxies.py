"""nginx and Caddy in front of a receiver, set up as README.md says, on ports of their own."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.programs import CADDY, NGINX
from tests.servers import START_SECONDS, free_port, wait_until
from tests.web import wire
from tests.web.receivers import ROOT

HOST = "hooks.example.com"

_NGINX = """
daemon off;
%(user)s
worker_processes 1;
pid %(folder)s/nginx.pid;
error_log %(folder)s/nginx-error.log;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path %(folder)s/body;
    proxy_temp_path %(folder)s/proxy;
    fastcgi_temp_path %(folder)s/fastcgi;
    uwsgi_temp_path %(folder)s/uwsgi;
    scgi_temp_path %(folder)s/scgi;
%(server)s
}
"""
_CADDY = """
{
	admin off
	%(option)s
}
%(site)s
"""


@contextmanager
def nginx(folder: Path, receiver: int) -> Iterator[int]:
    """Its port."""
    port = free_port()
    server = _example("nginx", receiver)
    server = server.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    server = re.sub(r"\s*ssl_certificate.*", "", server)
    # Else it would give its files to a user who may not enter this folder.
    user = "user root;" if os.geteuid() == 0 else ""
    text = _NGINX % {"folder": folder, "server": server, "user": user}
    (folder / "nginx.conf").write_text(text)
    command = [str(NGINX.program()), "-p", str(folder), "-c", "nginx.conf"]
    with _running([*command, "-e", "nginx-error.log"], folder, port):
        yield port


@contextmanager
def caddy(folder: Path, receiver: int) -> Iterator[int]:
    """Its port, at which it speaks plain HTTP."""
    port = free_port()
    command = _caddy(folder, receiver, f"http://{HOST}:{port}", "auto_https off")
    with _running(command, folder, port):
        yield port


@contextmanager
def encrypting_caddy(folder: Path, receiver: int) -> Iterator[int]:
    """Its port, at which it speaks HTTP/2 by TLS, with a certificate that it made itself."""
    port = free_port()
    options = "local_certs\n\tskip_install_trust\n\tauto_https disable_redirects"
    command = _caddy(folder, receiver, f"https://{HOST}:{port}", options)
    with _running(command, folder, port):
        yield port


def _caddy(folder: Path, receiver: int, address: str, option: str) -> Sequence[str]:
    site = _example("text", receiver, f"{HOST} {{\n")
    site = site.replace(f"{HOST} {{\n", f"{address} {{\n\tbind 127.0.0.1\n")
    (folder / "Caddyfile").write_text(_CADDY % {"site": site, "option": option})
    return [str(CADDY.program()), "run", "--config", "Caddyfile", "--adapter", "caddyfile"]


def _example(language: str, receiver: int, marked: str = "") -> str:
    """The block of README.md, with the receiver where it runs."""
    readme = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    [found] = [block for block in blocks if "127.0.0.1:8000" in block and marked in block]
    return str(found).replace("127.0.0.1:8000", f"127.0.0.1:{receiver}")


@contextmanager
def _running(command: Sequence[str], folder: Path, port: int) -> Iterator[None]:
    # Whatever it keeps, it keeps here.
    own = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder))
    environ = {"PATH": os.environ["PATH"], **own}
    log = folder / "output"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=folder, env=environ, stdout=output, stderr=output) as process,
    ):
        try:
            wait_until(lambda: _is_up(process, port, log))
            yield
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _is_up(process: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    with suppress(OSError):
        return len(wire.ask(port, wire.request("/", method="GET", framing="Connection: close"))) > 0
    return False
