"""The rules' files: which are read, in which order, and what is refused with which words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.errors import OperatorError
from bridge.rule_files import MOST_CHARACTERS, read_draft, read_files, stamp_of

TOO_LONG = (
    "config/rules/vip.yaml makes the rules longer than 1,000,000 characters, all files together; "
    "take out what is no longer needed"
)


def write(folder: Path, name: str, text: str | bytes = "rules: []\n") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def refused(folder: Path, draft: Path | None = None) -> str:
    with pytest.raises(OperatorError) as error:
        read_draft(folder, draft) if draft else read_files(folder)
    return str(error.value).replace(str(folder), "config")


def test_rules_yaml_comes_first_then_the_folder_in_the_order_of_the_alphabet(
    tmp_path: Path,
) -> None:
    for name in ("rules/b.yaml", "rules/C.yaml", "rules/A.yaml", "rules.yaml", "rules/10.yaml"):
        write(tmp_path, name, f"# {name}\n")
    texts = read_files(tmp_path).texts
    names = ["rules.yaml", "rules/10.yaml", "rules/A.yaml", "rules/b.yaml", "rules/C.yaml"]
    assert list(texts) == names
    assert all(text == f"# {name}\n" for name, text in texts.items())


def test_backups_and_hidden_files_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "rules.yaml")
    for name in (".vip.yaml", ".vip.yaml.swp", "vip.yaml~", "#vip.yaml#", "vip.yaml.bak", "notes"):
        write(tmp_path, f"rules/{name}", b"\xff")
    write(tmp_path, "rules/old/vip.yaml")
    assert list(read_files(tmp_path).texts) == ["rules.yaml"]


def test_a_mark_at_the_beginning_and_line_ends_of_windows_make_no_difference(
    tmp_path: Path,
) -> None:
    write(tmp_path, "rules.yaml", "rules:\n  - name: Ä\n")
    plain = read_files(tmp_path)
    write(tmp_path, "rules.yaml", b"\xef\xbb\xbfrules:\r\n  - name: \xc3\x84\r\n")
    assert read_files(tmp_path).texts == plain.texts
    assert read_files(tmp_path).version == plain.version


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rules/vip.yml", b"", "config/rules/vip.yml is not read: rename it to vip.yaml"),
        ("rules/Vip.YAML", b"", "config/rules/Vip.YAML is not read: rename it to Vip.yaml"),
        ("rules/vip.yaml.txt", b"", "config/rules/vip.yaml.txt is not read: rename it to vip.yaml"),
        (
            "rules/vip.yaml",
            b"\xff\xfe",
            "config/rules/vip.yaml is not in UTF-8; save it as UTF-8 text",
        ),
        (
            "rules/vip.yaml",
            b"#" * (MOST_CHARACTERS - 5),
            TOO_LONG,
        ),
        (
            "rules/vip.yaml",
            "🎫".encode() * (MOST_CHARACTERS + 1),
            TOO_LONG,
        ),
    ],
    ids=["yml", "capitals", "Notepad", "UTF-16", "sum", "bytes"],
)
def test_what_cannot_be_read_says_what_would_be_right(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    write(tmp_path, "rules.yaml")
    write(tmp_path, name, content)
    assert refused(tmp_path) == said


def test_a_missing_file_and_a_folder_in_its_place_are_named(tmp_path: Path) -> None:
    said = refused(tmp_path)
    assert said == "config/rules.yaml is missing; make it, or set SHOWBRIDGE_CONFIG"
    (tmp_path / "rules.yaml").mkdir()
    assert refused(tmp_path) == "config/rules.yaml cannot be read: Is a directory"


def test_a_folder_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    write(tmp_path, "rules.yaml")
    folder = tmp_path / "rules"
    folder.symlink_to("rules")
    assert refused(tmp_path) == "config/rules cannot be read: Too many levels of symbolic links"
    stamp_of(tmp_path)
    folder.unlink()
    folder.write_text("rules: []\n")
    assert refused(tmp_path) == "config/rules is no folder; rename it, or put it into one"


@pytest.mark.parametrize("name", ["rules.yaml", "rules/vip.yaml"])
def test_a_pipe_keeps_nobody_waiting(tmp_path: Path, name: str) -> None:
    write(tmp_path, "rules.yaml")
    write(tmp_path, name).unlink()
    os.mkfifo(tmp_path / name)
    said = f"config/{name} is no file; take it away, or put a text file there"
    assert refused(tmp_path) == said


@pytest.mark.parametrize("draft", ["pipe", "folder"])
def test_a_pipe_as_a_draft_keeps_nobody_waiting(tmp_path: Path, draft: str) -> None:
    write(tmp_path, "rules.yaml")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "folder" / "vip.yaml")
    assert "is no file; take it away" in refused(tmp_path, tmp_path / draft)


def test_a_device_without_end_is_no_draft(tmp_path: Path) -> None:
    write(tmp_path, "rules.yaml")
    assert "/dev/zero is no file" in refused(tmp_path, Path("/dev/zero"))


@pytest.mark.parametrize("name", ["rules.yaml", "rules/vip.yaml"])
@pytest.mark.parametrize("target", ["secret.yaml", "config/secrets/showpass"])
def test_a_link_to_another_file_is_not_followed(tmp_path: Path, name: str, target: str) -> None:
    config = tmp_path / "config"
    write(config, "rules.yaml")
    write(tmp_path, target, "the-secret: is here\n")
    write(config, name).unlink()
    (config / name).symlink_to(tmp_path / target)
    for found in (refused(config), refused(tmp_path / "config", config)):
        assert f"{name} is a link " in found
        assert ("leads out of its folder" in found) or "does not end in .yaml" in found
        assert "the-secret" not in found


def test_a_folder_of_rules_that_is_a_link_to_elsewhere_is_not_followed(tmp_path: Path) -> None:
    config = tmp_path / "config"
    write(config, "rules.yaml")
    write(tmp_path, "elsewhere/vip.yaml")
    (config / "rules").symlink_to(tmp_path / "elsewhere")
    assert "config/rules is a link that leads out of config" in refused(config)


def test_files_laid_out_as_kubernetes_does_are_read(tmp_path: Path) -> None:
    """A ConfigMap's files are links to `..data`, a link to a folder beside it."""
    config = tmp_path / "mounted"
    for folder in (config, config / "rules"):
        write(folder, "..2026_11_30/rules.yaml", "rules: []\n")
        write(folder, "..2026_11_30/vip.yaml", "rules: []\n")
        (folder / "..data").symlink_to("..2026_11_30")
    (config / "rules.yaml").symlink_to("..data/rules.yaml")
    (config / "rules" / "vip.yaml").symlink_to("..data/vip.yaml")
    linked = tmp_path / "config"
    linked.symlink_to(config)
    assert list(read_files(linked).texts) == ["rules.yaml", "rules/vip.yaml"]


def test_a_draft_that_a_person_names_may_be_a_link(tmp_path: Path) -> None:
    write(tmp_path, "config/rules.yaml")
    write(tmp_path, "mine/new.yaml", "# new\n")
    link = tmp_path / "draft.yaml"
    link.symlink_to("mine/new.yaml")
    assert read_draft(tmp_path / "config", link).texts["rules.yaml"] == "# new\n"


@pytest.mark.parametrize("name", ["vip\n.yaml", "vip\x1b[2J.yaml"])
def test_a_name_that_would_move_the_cursor_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, "rules.yaml")
    write(tmp_path, f"rules/{name}")
    assert "a file whose name cannot be read (vip?" in refused(tmp_path)


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "rules.yaml")
    (tmp_path / "rules").mkdir()
    (Path(os.fsdecode(bytes(tmp_path / "rules") + b"/\xff.yaml"))).write_text("")
    assert "a file whose name cannot be read (?.yaml); rename it" in refused(tmp_path)


def test_a_draft_takes_the_place_of_rules_yaml_or_of_the_file_that_is_called_like_it(
    tmp_path: Path,
) -> None:
    config = tmp_path / "config"
    write(config, "rules.yaml", "# main\n")
    write(config, "rules/vip.yaml", "# vip\n")
    new = write(tmp_path, "new.yaml", "# new\n")
    vip = write(tmp_path, "vip.yaml", "# new vip\n")
    assert dict(read_draft(config, new).texts) == {
        "rules.yaml": "# new\n",
        "rules/vip.yaml": "# vip\n",
    }
    assert dict(read_draft(config, vip).texts) == {
        "rules.yaml": "# main\n",
        "rules/vip.yaml": "# new vip\n",
    }
    own = config / "rules.yaml"
    assert read_draft(config, own).version == read_files(config).version
    assert read_draft(config, config / "rules" / "vip.yaml").drafted == []


def test_the_own_file_is_no_draft_of_another_that_is_called_like_it(tmp_path: Path) -> None:
    own = write(tmp_path, "rules.yaml", "# main\n")
    write(tmp_path, "rules/rules.yaml", "# other\n")
    assert read_draft(tmp_path, own).texts == read_files(tmp_path).texts


def test_a_folder_takes_the_place_of_rules_and_with_a_rules_yaml_of_both(tmp_path: Path) -> None:
    config, draft = tmp_path / "config", tmp_path / "draft"
    write(config, "rules.yaml", "# main\n")
    write(config, "rules/old.yaml", "# old\n")
    write(draft, "vip.yaml", "# vip\n")
    found = read_draft(config, draft)
    assert dict(found.texts) == {"rules.yaml": "# main\n", "rules/vip.yaml": "# vip\n"}
    assert found.drafted == ["rules/vip.yaml"]
    assert found.dropped == [config / "rules" / "old.yaml"]
    write(draft, "rules.yaml", "# new main\n")
    assert dict(read_draft(config, draft).texts) == {"rules.yaml": "# new main\n"}
    write(draft, "rules/more.yaml", "# more\n")
    assert list(read_draft(config, draft).texts) == ["rules.yaml", "rules/more.yaml"]


def test_a_draft_that_is_none_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "rules.yaml")
    nowhere = tmp_path / "nowhere.yaml"
    assert refused(tmp_path, nowhere) == "there is no file or folder config/nowhere.yaml"
    (tmp_path / "empty").mkdir()
    assert "config/empty holds no rules" in refused(tmp_path, tmp_path / "empty")


def test_a_stamp_is_another_with_each_change(tmp_path: Path) -> None:
    seen = [stamp_of(tmp_path)]
    assert not seen[0].is_whole
    for name in ("rules.yaml", "rules/a.yaml", "rules/b.yaml"):
        write(tmp_path, name)
        seen.append(stamp_of(tmp_path))
    os.utime(tmp_path / "rules/a.yaml", (1, 1))
    seen.append(stamp_of(tmp_path))
    (tmp_path / "rules/b.yaml").unlink()
    seen.append(stamp_of(tmp_path))
    write(tmp_path, "rules/.a.yaml")
    assert stamp_of(tmp_path) == seen[-1]
    assert len({each.marks for each in seen}) == len(seen)


@pytest.mark.parametrize("name", ["rules.yaml", "rules/vip.yaml"])
def test_a_link_that_leads_to_itself_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    config = tmp_path / "config"
    write(config, "rules.yaml")
    (config / "rules").mkdir()
    (config / name).unlink(missing_ok=True)
    (config / name).symlink_to(Path(name).name)
    assert f"config/{name} cannot be read: Too many levels of symbolic links" in refused(config)


def test_a_link_to_a_file_of_another_name_is_not_said_to_lead_out(tmp_path: Path) -> None:
    config = tmp_path / "config"
    write(config, "rules-v2")
    (config / "rules.yaml").symlink_to("rules-v2")
    found = refused(config)
    assert "config/rules.yaml is a link to a file whose name does not end in .yaml" in found
    assert "out of" not in found
