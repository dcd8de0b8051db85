"""What a first run makes: a secret for each source that has none."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from bridge.errors import OperatorError
from bridge.settings import Config
from bridge.settings_files import secrets_file

_BYTES = 32


def make_missing_secrets(config: Config) -> list[str]:
    """Give each source without secrets a random one in a file; load the configuration again then.

    Returns the names of the sources that got one. Never overwrites a file, also
    where two processes start at once. Raises OperatorError.
    """
    bare = [name for name, source in config.sources.items() if not source.secrets]
    return [name for name in bare if _made(secrets_file(config.data, name))]


def _made(file: Path) -> bool:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _written(file)
    except OSError as error:
        raise OperatorError(
            f"{file.parent} cannot be written to ({error.strerror}); make it writable for this "
            "user, or set SHOWBRIDGE_DATA to a folder that is"
        ) from None


def _written(file: Path) -> bool:
    """Whole or not at all: written under another name, then linked to its own."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(secrets.token_urlsafe(_BYTES) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        os.link(draft, file)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True
