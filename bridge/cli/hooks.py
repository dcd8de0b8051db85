"""Where the receiver of a configuration listens, and the URL of each source."""

from __future__ import annotations

from urllib.parse import urlsplit

from bridge.config import Config, SourceConfig
from bridge.errors import OperatorError
from bridge.hosts import as_seen_here, in_url, read_host, with_port


def receiver(config: Config) -> str:
    """As seen from this machine: `http://127.0.0.1:8000`."""
    return f"http://{with_port(as_seen_here(config.server.host), config.port)}"


def hook_url(base: str, source: SourceConfig, *, hidden: bool = False) -> str:
    """The URL to give to the vendor; the secret in its path may be hidden."""
    path = f"/hooks/{source.name}"
    if source.path_secret is None:
        return base + path
    return f"{base}{path}/{'…' if hidden else source.path_secret}"


def target(to: str, source: SourceConfig) -> str:
    """`--to`: a whole URL as it is; a receiver's address with the source's path added."""
    try:
        parts = urlsplit(to)
        usable = parts.scheme in ("http", "https") and parts.port != 0
        read_host(in_url(parts.hostname or ""), "behind the host")
    except ValueError:
        usable = False
    if not usable:
        raise OperatorError(
            f"--to needs a whole address, such as http://127.0.0.1:8000 or http://[::1]:8000, "
            f"not `{to}`"
        )
    return to if parts.path.strip("/") else hook_url(to.rstrip("/"), source)


def address(url: str) -> str:
    """Of the machine alone: no path, whose last part may be secret, and no password."""
    parts = urlsplit(url)
    host = in_url(parts.hostname or "")
    return f"{parts.scheme}://{host}:{parts.port}" if parts.port else f"{parts.scheme}://{host}"
