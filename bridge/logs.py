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

# Bytes that wait while nothing can be written, such as on a full disk; more is left out.
MOST_KEPT = 1_000_000
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
    # Each second, for as long as Redis is away.
    logging.getLogger("rq.worker").addFilter(NotAgain())


def place_of(error: BaseException) -> str:
    """`ValueError at slack.py:41`: what happened where, without a message that may quote data."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    frame = frames[-1]
    return f"{type(error).__name__} at {frame.filename}:{frame.lineno}"


class OnChange:
    """Logs trouble when it begins and when it becomes another, and says when it is over.

    What goes on for hours is else a line each second.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._trouble = ""

    def trouble(self, message: str, *details: object) -> None:
        text = message % details if details else message
        if text != self._trouble:
            self._log.warning("%s", text)
        self._trouble = text

    def over(self, message: str) -> None:
        """Says nothing if there was no trouble."""
        if self._trouble:
            self._log.info("%s", message)
        self._trouble = ""


class NotAgain(logging.Filter):
    """Leaves out a line that says what the one before it said, within five minutes."""

    def __init__(self, seconds: float = 300.0) -> None:
        super().__init__()
        self._seconds = seconds
        self._last: tuple[str, float] = ("", 0.0)

    def filter(self, record: logging.LogRecord) -> bool:
        said, at = self._last
        text = record.getMessage()
        if text == said and record.created < at + self._seconds:
            return False
        self._last = (text, record.created)
        return True


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
    """Writes at once what is a warning or worse, and the rest within a fifth of a second.

    Never raises: a disk without room for the log is no reason to stop the work. What could not
    be written waits until there is room again.
    """

    def __init__(self, stream: TextIO, most_kept: int = MOST_KEPT) -> None:
        super().__init__()
        self._stream = stream
        self._most_kept = most_kept
        self._lines: list[str] = []
        self._unwritten = b""
        self._left_out = 0
        self._waiting = threading.Event()
        self._flusher: threading.Thread | None = None
        os.register_at_fork(after_in_child=self._forget_parent)

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self._formatted(record))
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
            if lines or self._unwritten:
                self._write("".join(f"{line}\n" for line in lines))
        finally:
            self.release()

    def _formatted(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record)
        except Exception as error:  # noqa: BLE001  # a line that cannot be made stops nobody
            return json.dumps({"level": "ERROR", "message": f"a line failed: {place_of(error)}"})

    def _write(self, text: str) -> None:
        """Past the stream's own buffer, which would write again what it had written in part."""
        waiting = self._unwritten + text.encode("utf-8", "backslashreplace")
        try:
            while waiting:
                waiting = waiting[os.write(self._stream.fileno(), waiting) :]
        except (OSError, ValueError):  # no room, or nobody reads any more
            self._keep(waiting)
            return
        self._unwritten = b""
        if self._left_out:
            left_out, self._left_out = self._left_out, 0
            message = f"{left_out:,} bytes of the log are left out, there was no room for them"
            self._write(json.dumps({"level": "WARNING", "message": message}) + "\n")

    def _keep(self, waiting: bytes) -> None:
        """Whole lines, the oldest: they say how it began."""
        whole = len(waiting) <= self._most_kept
        self._unwritten = waiting if whole else waiting[: self._cut(waiting)]
        self._left_out += len(waiting) - len(self._unwritten)

    def _cut(self, waiting: bytes) -> int:
        return waiting.rfind(b"\n", 0, self._most_kept) + 1

    def _keep_flushing(self) -> None:
        while self._waiting.wait():
            self._waiting.clear()
            time.sleep(GATHER_SECONDS)
            self.flush()

    def _forget_parent(self) -> None:
        """A fork has neither the parent's threads nor the right to its lines."""
        self._lines, self._unwritten = [], b""
        self._waiting = threading.Event()
        self._flusher = None
