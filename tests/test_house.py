"""The house keeps its order: imports point down, and each subject has one room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = [*sorted((ROOT / "bridge").rglob("*.py")), *sorted((ROOT / "connectors").rglob("*.py"))]

# Each may import what stands above it, and its own neighbours.
FLOORS: list[set[str]] = [
    {"amounts", "days", "errors", "logs", "version", "wording"},
    {"strict_json", "regular_files", "exposed", "hosts", "weak_secrets"},
    {"event"},
    {"source", "connector"},
    {"sources", "registry", "testing", "reference"},
    {"yaml_document", "yaml_slips", "yaml_text", "yaml_traps", "findings", "rules"},
    {
        "config",
        "dotenv_file",
        "environment",
        "first_run",
        "rule_files",
        "secret_values",
        "settings",
        "settings_alerts",
        "settings_files",
        "settings_schema",
    },
    {"ledger"},
    {"engine"},
    {"web"},
    {"cli", "__main__"},
]
HEIGHT = {name: height for height, floor in enumerate(FLOORS) for name in floor}

# Only these rooms know these packages.
KNOWS = {
    "sqlalchemy": {"ledger", "cli"},
    "alembic": {"ledger"},
    "flask": {"web"},
    "gunicorn": {"web"},
    "rq": {"engine"},
    "jinja2": {"rules"},
    "phonenumbers": {"rules"},
    # The command writes YAML, of its own examples; only these read it.
    "yaml": {"yaml_text", "yaml_slips", "cli"},
    "hubspot": set(),
    "slack_sdk": set(),
    "mailchimp_marketing": set(),
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "bridge":
                yield from (f"bridge.{alias.name}" for alias in node.names)


def room(path: Path) -> str:
    inside = path.relative_to(ROOT / "bridge")
    return inside.parts[0].removesuffix(".py")


def rooms(paths: list[Path]) -> list[Path]:
    return [path for path in paths if path.is_relative_to(ROOT / "bridge")]


@pytest.mark.parametrize("path", rooms(PROJECT), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    if room(path) == "__init__":
        return
    for name in imports(path):
        assert not name.startswith("connectors"), f"{path} imports a connector"
        if name.startswith("bridge."):
            imported = name.split(".")[1]
            assert HEIGHT[imported] <= HEIGHT[room(path)], f"{path} imports {name}"


@pytest.mark.parametrize("path", PROJECT, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_package_is_known_in_its_own_room_alone(path: Path) -> None:
    if path.is_relative_to(ROOT / "connectors"):
        return
    for name in imports(path):
        allowed = KNOWS.get(name.split(".")[0])
        assert allowed is None or room(path) in allowed, f"{path} imports {name}"


def test_connectors_see_the_contract_and_nothing_else_of_ours() -> None:
    for path in (ROOT / "connectors").rglob("*.py"):
        ours = {name for name in imports(path) if name.split(".")[0] == "bridge"}
        assert ours <= {"bridge.connector"}, path


def test_nothing_happens_at_import() -> None:
    """No module calls a function at its top that opens, connects or reads the environment."""
    doing = {"open", "connect", "create_engine", "getenv", "load_dotenv", "Redis", "urlopen"}
    for path in PROJECT:
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            for call in ast.walk(node):
                if isinstance(call, ast.Call):
                    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
                    assert name not in doing, f"{path}:{call.lineno} calls {name} at import"
