"""The arrows of docs/architecture.md: who may import whom, read from the source."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DOORS = ("tracker_api", "queue_workers", "archive_cli")

# From the top down; a file imports from its own layer or a later one.
LAYERS = (
    {"cli"},
    {"command_line"},
    {"health"},
    {"management"},
    {"plugins"},
    {"reports"},
    {"archiving"},
    {"replaying"},
    {"importing"},
    {"tracking"},
    {"queue"},
    {"entities"},
    {"sites", "goals", "custom_dimensions", "options", "users", "changes"},
    {"journal"},
    {"metrics"},
    {"migrations", "packets", "patterns", "database", "settings", "timezones", "clock", "log", "errors"},
)


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The full names of the modules that a file imports, wherever in the file it does so."""
    here = path.relative_to(ROOT).with_suffix("").parts
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: len(here) - node.level]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            names.update(f"{module}.{alias.name}" for alias in node.names)
    return names


def layer(name: str) -> int:
    """Where `footfall.<name>` stands, 0 at the top."""
    for number, members in enumerate(LAYERS):
        if name in members:
            return number
    raise AssertionError(f"footfall/{name} has no place in docs/architecture.md and in LAYERS of this test")


@pytest.mark.parametrize("path", sources("footfall"), ids=lambda path: str(path.relative_to(ROOT)))
def test_footfall_imports_only_from_its_own_layer_or_below(path: Path) -> None:
    inside = path.relative_to(ROOT / "footfall").with_suffix("").parts
    for name in imported(path):
        top, *rest = name.split(".")
        assert top not in DOORS, f"{path.relative_to(ROOT)} imports the door {top}"
        if top == "footfall" and rest and inside != ("__init__",):
            assert layer(inside[0]) <= layer(rest[0]), f"{path.relative_to(ROOT)} imports {name}, which stands above it"


@pytest.mark.parametrize("path", [p for door in DOORS for p in sources(door)], ids=lambda p: str(p.relative_to(ROOT)))
def test_a_door_imports_no_other_door(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0]
    for name in imported(path):
        top, *rest = name.split(".")
        assert top == own or top not in DOORS, f"{path.relative_to(ROOT)} imports the door {top}"
        assert (top, rest[:1]) != ("footfall", ["cli"]), f"{path.relative_to(ROOT)} imports the door footfall.cli"
