"""The example package, installed by pip beside the bridge, works without a change there."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "showbridge-acme"
BRIDGE = """\
sources:
  showpass: {secrets: {env: SHOWPASS_SECRETS}}
accounts:
  acme: {api_key: {env: ACME_API_KEY}}
"""
RULES = """\
rules:
  - name: Ring buyers
    when: {source: showpass, event: invoice.purchase}
    do:
      - acme.create_task: {list: sales, title: "Call {{ contact.name }}"}
"""


class Installation:
    """A virtual environment of its own: the bridge and the example by pip, the rest as here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "env", with_pip=False)
        self.python = folder / "env" / "bin" / "python"
        self._borrow()
        self._install(ROOT, EXAMPLE)

    def _borrow(self) -> None:
        """The dependencies, pip among them, are those of this environment."""
        mine = sysconfig.get_path("purelib")
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        site = self.folder / "env" / "lib" / version / "site-packages"
        (site / "borrowed.pth").write_text(f"{mine}\n")

    def _install(self, *packages: Path) -> None:
        options = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation")
        self.run("-m", "pip", "install", *options, "--ignore-installed", *map(str, packages))

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.python), *arguments],
            cwd=self.folder,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "COLUMNS": "80"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = Installation(tmp_path_factory.mktemp("example"))
    config = made.folder / "config"
    config.mkdir()
    (config / "bridge.yaml").write_text(BRIDGE)
    (config / "rules.yaml").write_text(RULES)
    return made


@pytest.mark.xdist_group("example package")
def test_its_action_can_be_named_in_yaml(installation: Installation) -> None:
    told = json.loads(installation.run("-m", "bridge", "check", "--json"))
    assert told["ok"], told
    assert told["accounts"] == [
        {
            "name": "acme",
            "connector": "acme",
            "mode": "preview",
            "secrets": {"ACME_API_KEY": False},
        }
    ]
    assert "acme.create_task" in told["rules"][0]["sentence"]


@pytest.mark.xdist_group("example package")
def test_its_reference_can_be_read(installation: Installation) -> None:
    told = installation.run("-m", "bridge", "connectors", "acme.create_task")
    assert "The name of a task list." in told
    assert 'title: "Call {{ contact.name }}"' in told


@pytest.mark.xdist_group("example package")
def test_its_conformance_run_passes_there(installation: Installation) -> None:
    tests = str(EXAMPLE / "tests")
    told = installation.run("-m", "pytest", "-p", "no:cacheprovider", tests)
    assert "27 passed" in told
