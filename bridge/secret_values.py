"""Values that stand elsewhere: `{env: NAME}` and `{file: PATH}`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from bridge import regular_files
from bridge.findings import Findings
from bridge.wording import quoted
from bridge.yaml_text import Path

_LONGEST = 65_536


@dataclass
class References:
    """Replaces references by what they name, and remembers where each stood and what it named.

    An empty or missing environment variable, like an empty file, is None: not set.
    """

    findings: Findings
    environ: Mapping[str, str]
    folder: FilePath
    named: dict[Path, str] = field(default_factory=dict)

    def resolved(self, value: Any, path: Path) -> Any:
        """The value with every reference in it replaced."""
        if isinstance(value, dict):
            if len(value) == 1 and next(iter(value)) in ("env", "file"):
                ((kind, name),) = value.items()
                return self._looked_up(kind, name, path)
            return {name: self.resolved(one, (*path, name)) for name, one in value.items()}
        if isinstance(value, list):
            return [self.resolved(one, (*path, number)) for number, one in enumerate(value)]
        return value

    def _looked_up(self, kind: str, name: Any, path: Path) -> str | None:
        if not isinstance(name, str) or not name.strip():
            self.findings.add((*path, kind), f"`{kind}` must be a name", "write {env: NAME}")
            return None
        self.named[path] = name
        if kind == "env":
            return self.environ.get(name, "").strip() or None
        return self.read(self.folder / name, path)

    def read(self, file: FilePath, path: Path) -> str | None:
        """The text of a file, without the white space around it."""
        try:
            return regular_files.read(file, _LONGEST).decode("utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            why = (
                regular_files.why(error) if isinstance(error, OSError) else "it is no text in UTF-8"
            )
            self.findings.add(path, f"{quoted(str(file))} cannot be read: {why}")
            return None
