"""Where the receiver of a configuration listens, and the URL of each source."""

from __future__ import annotations

from urllib.parse import urlsplit

from bridge.config import Config, SourceConfig
from bridge.errors import OperatorError

_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104  # asked about, not bound to


def receiver(config: Config) -> str:
    """As seen from this machine: `http://127.0.0.1:8000`."""
    host = config.server.host
    if host in _EVERYWHERE:
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{config.port}"


def hook_url(base: str, source: SourceConfig, *, hidden: bool = False) -> str:
    """The URL to give to the vendor; the secret in its path may be hidden."""
    path = f"/hooks/{source.name}"
    if source.path_secret is None:
        return base + path
    return f"{base}{path}/{'…' if hidden else source.path_secret}"


def target(to: str, source: SourceConfig) -> str:
    """`--to`: a whole URL as it is; a receiver's address with the source's path added."""
    parts = urlsplit(to)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise OperatorError(
            f"--to needs a whole address, such as http://127.0.0.1:8000, not `{to}`"
        )
    return to if parts.path.strip("/") else hook_url(to.rstrip("/"), source)


def address(url: str) -> str:
    """Of the machine alone: no path, whose last part may be secret, and no password."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"
