"""Reading what others may have put in the place of a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.config import load
from bridge.errors import OperatorError
from bridge.regular_files import OutsideError, TooLongError, read

BRIDGE = "sources:\n  showpass: {secrets: {file: %s}}\n"


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read(file, 5) == b"12345"
    with pytest.raises(TooLongError):
        read(file, 4)


def test_what_has_no_end_or_no_beginning_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for file in (pipe, Path("/dev/zero"), Path("/dev/tty")):
        with pytest.raises(OSError, match=r"no file|No such device"):
            read(file, 5)


def test_a_link_may_lead_to_its_own_folder_alone(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("in")
    (tmp_path / "folder-2").write_text("out")
    inner, outer = folder / "inner", folder / "outer"
    inner.symlink_to("file")
    outer.symlink_to(tmp_path / "folder-2")
    assert read(inner, 5, folder) == b"in"
    assert read(outer, 5) == b"out"
    with pytest.raises(OutsideError):
        read(outer, 5, folder)


def configuration(tmp_path: Path, text: str) -> str:
    """What is said of it as it is refused."""
    (tmp_path / "bridge.yaml").write_text(text)
    with pytest.raises(OperatorError) as refused:
        load({}, tmp_path)
    return str(refused.value)


def test_a_pipe_in_the_place_of_a_secret_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "it is a pipe or a device and no file" in configuration(tmp_path, BRIDGE % "pipe")


def test_a_secret_that_is_far_too_long_is_refused_and_not_cut(tmp_path: Path) -> None:
    (tmp_path / "long").write_text("s" * 70_000)
    assert "it is longer than 65,536 bytes" in configuration(tmp_path, BRIDGE % "long")


def test_a_pipe_in_the_place_of_bridge_yaml_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "bridge.yaml")
    with pytest.raises(OperatorError, match="it is a pipe or a device and no file"):
        load({}, tmp_path)
