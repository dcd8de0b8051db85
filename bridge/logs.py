"""One JSON line for each thing worth knowing; never a body, an address, a token or a signature."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
import traceback
from datetime import UTC, datetime
from typing import TextIO

# Lines of everyday are written together: a write for each costs a busy receiver dearly.
GATHER_SECONDS = 0.2
GATHER_LINES = 200


def set_up_logging(process: str, level: int = logging.INFO) -> None:
    """Log to standard error as `process`, whoever logs: ours, gunicorn's, RQ's."""
    handler = _GatheringHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter(process))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Where in the code a line was logged is not told, so it need not be found out.
    logging.logProcesses = logging.logThreads = logging.logMultiprocessing = False
    # RQ tells of every job, alembic of every start; turns and migrations are told by us.
    for chatty in ("rq", "rq.worker", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def place_of(error: BaseException) -> str:
    """`ValueError at slack.py:41`: what happened where, without a message that may quote data."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    frame = frames[-1]
    return f"{type(error).__name__} at {frame.filename}:{frame.lineno}"


class _JsonFormatter(logging.Formatter):
    """What a record says, and what its `extra` adds."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process
        self._encode = json.JSONEncoder(default=str).encode

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in record.__dict__.items():
            if name not in _STANDARD:
                line[name] = value
        if record.exc_info and record.exc_info[1]:
            line["error"] = place_of(record.exc_info[1])
        return self._encode(line)


# Everything that a record has by itself.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class _GatheringHandler(logging.Handler):
    """Writes at once what is a warning or worse, and the rest within a fifth of a second."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: list[str] = []
        self._waiting = threading.Event()
        self._flusher: threading.Thread | None = None
        os.register_at_fork(after_in_child=self._forget_parent)

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
        if record.levelno >= logging.WARNING or len(self._lines) >= GATHER_LINES:
            self.flush()
        elif len(self._lines) == 1:
            self._waiting.set()
        if self._lines and self._flusher is None:
            self._flusher = threading.Thread(target=self._keep_flushing, name="log", daemon=True)
            self._flusher.start()

    def flush(self) -> None:
        self.acquire()
        try:
            lines, self._lines = self._lines, []
            if lines:
                self._stream.write("\n".join(lines) + "\n")
                self._stream.flush()
        finally:
            self.release()

    def _keep_flushing(self) -> None:
        while self._waiting.wait():
            self._waiting.clear()
            time.sleep(GATHER_SECONDS)
            self.flush()

    def _forget_parent(self) -> None:
        """A fork has neither the parent's threads nor the right to its lines."""
        self._lines = []
        self._waiting = threading.Event()
        self._flusher = None
