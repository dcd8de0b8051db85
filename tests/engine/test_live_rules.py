"""Which version is live: what is saved, rolled back, older, or does not fit; on both databases."""

from __future__ import annotations

import getpass
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge import rules
from bridge.engine.live_rules import LiveRules
from bridge.engine.rules_watch import SETTLE_SECONDS, Watch
from bridge.ledger import rule_versions
from bridge.ledger.alerts import open_alerts
from bridge.ledger.database import Database
from bridge.ledger.rule_versions import PUBLISHED, ROLLED_BACK
from bridge.rule_files import read_files
from bridge.rules import World
from bridge.sources.showpass import Showpass
from tests.conftest import Now
from tests.engine.scripted import Script, destination


def text(name: str, account: str = "scripted") -> str:
    return (
        f"rules:\n  - name: {name}\n    when: {{event: invoice.purchase}}\n"
        f"    do: [{account}.send: {{text: {name}}}]\n"
    )


def failing(found: rules.RuleSet) -> list[str]:
    names = [rule.name for rule in found.rules]
    if "buggy" in names:
        raise ZeroDivisionError
    return [f"{name} fails" for name in names if name == "bad"]


@dataclass
class Machine:
    """One machine's folder and what one of its processes knows."""

    folder: Path
    database: Database
    now: Now
    accounts: tuple[str, ...] = ("scripted",)
    when_saved: bool = True

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        kind = destination(Script()).kind
        world = World({"showpass": Showpass}, dict.fromkeys(self.accounts, kind))
        self.watch = Watch(
            self.folder,
            world,
            self.database,
            self.now,
            when_saved=self.when_saved,
            failing=failing,
        )
        self.rules = LiveRules(self.watch, self.database, self.now)

    def save(self, name: str, to: str = "rules.yaml", age: float = 0.0) -> str:
        """Saved so long before now, and looked at when it is settled; its version."""
        self.write(text(name), to, age)
        return self.settled()

    def write(self, content: str, to: str = "rules.yaml", age: float = 0.0) -> None:
        self.now.advance(1)
        file = self.folder / to
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
        at = self.now() - age
        os.utime(file, (at, at))
        os.utime(file.parent, (at, at))

    def settled(self) -> str:
        """Looked at as soon as it is there, and when nobody writes any more."""
        self.look_twice()
        return read_files(self.folder).version

    def look_twice(self) -> None:
        self.rules.current()
        self.now.advance(SETTLE_SECONDS)
        self.rules.current()

    def runs(self) -> list[str]:
        """The names of the rules that it routes by."""
        found = self.rules.current()
        return [rule.name for rule in found.rules] if found else []

    def history(self) -> list[tuple[str, str]]:
        with self.database.read() as connection:
            every = rule_versions.history(connection)
        return [(each.version, each.how) for each in reversed(every)]

    def roll_back(self, version: str) -> None:
        self.now.advance(1)
        with self.database.write() as connection:
            files = rule_versions.files_of(connection, version)
            assert files
            rule_versions.publish(
                connection, version, files, author="ana", how=ROLLED_BACK, now=self.now()
            )

    def alerts(self) -> list[str]:
        with self.database.read() as connection:
            return [alert.text for alert in open_alerts(connection)]


@pytest.fixture
def machine(database: Database, now: Now, tmp_path: Path) -> Machine:
    return Machine(tmp_path / "one", database, now)


@pytest.fixture
def another(database: Database, now: Now, tmp_path: Path) -> Callable[..., Machine]:
    def make(**options: object) -> Machine:
        return Machine(tmp_path / "two", database, now, **options)  # type: ignore[arg-type]

    return make


def test_what_is_saved_goes_live_once_under_the_name_of_whose_file_it_is(
    machine: Machine,
) -> None:
    first = machine.save("First")
    second = machine.save("Second")
    machine.start()
    assert machine.runs() == ["Second"]
    assert machine.history() == [(first, "saved"), (second, "saved")]
    with machine.database.read() as connection:
        live = rule_versions.live(connection)
    assert live is not None
    assert live.author == getpass.getuser()


def test_every_file_of_the_folder_is_part_of_it_also_when_it_goes(machine: Machine) -> None:
    machine.save("First")
    machine.save("More", "rules/more.yaml")
    assert machine.runs() == ["First", "More"]
    (machine.folder / "rules" / "more.yaml").unlink()
    machine.settled()
    assert machine.runs() == ["First"]


def test_a_rollback_is_undone_neither_by_a_restart_nor_by_a_worker_that_looks_late(
    machine: Machine,
) -> None:
    first = machine.save("First")
    slow = LiveRules(
        Watch(machine.folder, machine.watch.world, machine.database, machine.now),
        machine.database,
        machine.now,
    )
    slow.current()
    machine.save("Second")
    machine.roll_back(first)
    assert machine.runs() == ["First"]
    slow.current()
    machine.start()
    assert machine.runs() == ["First"]
    assert [how for _, how in machine.history()] == ["saved", "saved", "rolled back"]


def test_a_change_after_a_rollback_goes_live_also_back_to_what_was_left(machine: Machine) -> None:
    first = machine.save("First")
    second = machine.save("Second")
    machine.roll_back(first)
    machine.save("Third")
    assert machine.runs() == ["Third"]
    assert machine.save("Second") == second
    assert machine.runs() == ["Second"]


def test_what_is_saved_while_nothing_runs_is_live_at_the_next_start(machine: Machine) -> None:
    machine.save("First")
    machine.save("Second")
    machine.write(text("First"))
    machine.now.advance(10)
    machine.start()
    assert machine.runs() == ["First"]


def test_a_new_version_is_live_at_the_next_start_however_old_its_files_are(
    machine: Machine,
) -> None:
    machine.save("First")
    machine.write(text("Unpacked"), age=1000)
    machine.start()
    assert machine.runs() == ["Unpacked"]


def test_an_older_copy_on_another_machine_does_not_undo_what_is_live(
    machine: Machine, another: Callable[..., Machine]
) -> None:
    machine.save("First")
    other = another()
    other.write(text("First"), age=5)
    assert other.runs() == ["First"]
    machine.save("Second")
    other.start()
    assert other.runs() == ["Second"]
    (other.folder / "rules").mkdir()
    (other.folder / "rules" / ".swp").touch()
    other.settled()
    assert machine.runs() == ["Second"]
    assert len(machine.history()) == 2


def test_an_older_version_goes_live_where_it_was_seen_to_come(machine: Machine) -> None:
    machine.save("First")
    machine.save("Second")
    machine.save("First", age=1000)
    assert machine.runs() == ["First"]


def test_two_that_look_at_once_make_it_live_once(
    machine: Machine, another: Callable[..., Machine]
) -> None:
    machine.save("First")
    other = another()
    other.save("First")
    second = read_version(machine, text("Second"))
    other.write(text("Second"))
    machine.now.advance(10)
    looking = threading.Thread(target=other.watch.look)
    with machine.database.write() as connection:
        rule_versions.take_turns(connection)
        rule_versions.publish(
            connection,
            second,
            {"rules.yaml": text("Second")},
            author="ana",
            how="saved",
            now=machine.now(),
        )
        looking.start()
        looking.join(0.3)
        assert looking.is_alive()
    looking.join()
    assert [version for version, _ in machine.history()].count(second) == 1


def read_version(machine: Machine, content: str) -> str:
    return rules.compile_files({"rules.yaml": content}, machine.watch.world).version


def test_by_command_only_the_very_first_goes_live_when_it_is_saved(
    machine: Machine,
) -> None:
    machine.when_saved = False
    machine.start()
    machine.save("First")
    machine.save("Second")
    machine.start()
    assert machine.runs() == ["First"]
    assert [how for _, how in machine.history()] == ["saved"]


def test_what_another_machine_publishes_is_run_from_the_ledger(
    machine: Machine, another: Callable[..., Machine]
) -> None:
    machine.save("First")
    other = another(when_saved=False)
    assert other.runs() == ["First"]
    machine.save("Second")
    assert other.runs() == ["Second"]


def test_mistakes_leave_what_is_live_and_are_told_until_they_are_gone(machine: Machine) -> None:
    machine.save("First")
    machine.write("rules: [\n")
    machine.now.advance(SETTLE_SECONDS)
    assert machine.runs() == ["First"]
    [told] = machine.alerts()
    assert "the last good version stays live" in told
    assert "rules.yaml:" in told
    machine.start()
    machine.save("First")
    assert machine.alerts() == []


def test_a_bug_that_they_bring_to_light_is_told_and_stops_nobody(machine: Machine) -> None:
    machine.save("First")
    machine.save("buggy")
    assert machine.runs() == ["First"]
    [told] = machine.alerts()
    assert "cannot be checked; the last good version stays live" in told
    assert "ZeroDivisionError at " in told
    machine.save("Third")
    assert machine.runs() == ["Third"]
    assert machine.alerts() == []


def test_a_folder_that_cannot_be_read_any_more_takes_no_rules_away(machine: Machine) -> None:
    machine.save("First")
    machine.save("Second", "rules/second.yaml")
    shutil.rmtree(machine.folder / "rules")
    (machine.folder / "rules").symlink_to("rules")
    machine.look_twice()
    assert machine.runs() == ["First", "Second"]
    assert "cannot be read" in machine.alerts()[0]


def test_where_nothing_was_ever_live_the_alert_says_that_webhooks_wait(machine: Machine) -> None:
    machine.write("rules: [\n")
    assert machine.runs() == []
    assert "no rules are live, and webhooks wait" in machine.alerts()[0]


def test_a_file_that_is_away_for_a_moment_is_no_mistake(machine: Machine) -> None:
    machine.save("First")
    (machine.folder / "rules.yaml").unlink()
    machine.watch.look()
    assert machine.alerts() == []
    machine.save("Second")
    assert machine.runs() == ["Second"]
    assert machine.alerts() == []
    (machine.folder / "rules.yaml").unlink()
    machine.watch.look()
    machine.now.advance(SETTLE_SECONDS)
    assert machine.runs() == ["Second"]
    assert "rules.yaml is missing" in machine.alerts()[0]


def test_a_file_from_the_future_is_taken_over_when_it_does_not_change(machine: Machine) -> None:
    machine.save("First")
    machine.write(text("Second"), age=-1_000_000)
    assert machine.runs() == ["First"]
    machine.now.advance(SETTLE_SECONDS)
    assert machine.runs() == ["Second"]


def test_a_restart_does_not_take_over_what_is_still_being_written(machine: Machine) -> None:
    machine.save("First")
    machine.write(text("Half"))
    machine.start()
    assert machine.runs() == ["First"]


def test_a_version_that_does_not_fit_bridge_yaml_leaves_the_one_before_running(
    machine: Machine, another: Callable[..., Machine]
) -> None:
    machine.save("First")
    assert machine.runs() == ["First"]
    newer = another(accounts=("scripted", "fresh"))
    newer.write(text("Second", "fresh"))
    newer.settled()
    assert newer.runs() == ["Second"]
    assert machine.runs() == ["First"]
    [told] = machine.alerts()
    assert "goes on" in told
    assert "`fresh`" in told
    machine.start()
    assert machine.runs() == []
    assert "webhooks wait" in machine.alerts()[0]
    machine.accounts = newer.accounts
    machine.start()
    assert machine.runs() == ["Second"]
    assert machine.alerts() == []


def test_a_test_that_fits_no_longer_keeps_no_rules_from_running(
    machine: Machine, another: Callable[..., Machine]
) -> None:
    newer = another(accounts=("scripted", "fresh"))
    newer.write(
        text("First") + "tests:\n  - name: One\n    given: {sample: invoice.void}\n"
        "    expect: [fresh.send]\n"
    )
    newer.settled()
    assert newer.runs() == ["First"]
    assert machine.runs() == ["First"]
    assert machine.alerts() == []


def test_what_does_not_fit_is_not_read_again_with_each_batch(
    machine: Machine, another: Callable[..., Machine]
) -> None:
    machine.save("First")
    newer = another(accounts=("fresh",))
    newer.write(text("Second", "fresh"))
    newer.settled()
    for _ in range(3):
        assert machine.runs() == ["First"]
    with machine.database.read() as connection:
        assert [alert.count for alert in open_alerts(connection)] == [1]


def test_rules_whose_tests_fail_do_not_go_live_by_being_saved(machine: Machine) -> None:
    good = machine.save("First")
    machine.save("bad")
    assert machine.runs() == ["First"]
    assert machine.history() == [(good, "saved")]
    [told] = machine.alerts()
    assert told.startswith("The rules do not do what their tests say; the last good version stays")
    assert "bad fails" in told
    machine.save("First")
    assert machine.alerts() == []


def test_where_rules_are_published_by_command_a_draft_may_fail_its_tests(
    another: Callable[..., Machine],
) -> None:
    machine = another(when_saved=False)
    machine.save("First")
    machine.save("bad")
    assert (machine.runs(), machine.alerts()) == (["First"], [])


def test_what_was_published_although_its_tests_fail_is_no_alert_at_each_restart(
    machine: Machine,
) -> None:
    machine.save("First")
    machine.write(text("bad"))
    files = read_files(machine.folder)
    with machine.database.write() as connection:
        rule_versions.publish(
            connection, files.version, files.texts, author="ana", how=PUBLISHED, now=machine.now()
        )
    machine.start()
    machine.settled()
    assert (machine.runs(), machine.alerts()) == (["bad"], [])
