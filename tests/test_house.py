"""The house: arrows go one way, and nothing in it may run what evidence says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BELOW = ("artefacts", "hashsets", "rules", "report_templates")
ALL = (*BELOW, "triage")
FORBIDDEN_MODULES = {"pickle", "shelve", "marshal", "socket", "urllib", "http", "requests", "ftplib", "smtplib"}
NETWORK = Path("triage/devices/net")
"""The one place that may speak with a network: the local one, and only what tests/triage/devices/net watch."""
ALLOWED = {NETWORK: {"socket", "http.client", "urllib.parse"}}
FORBIDDEN_CALLS = {"eval", "exec", "__import__"}


def _files(packages: tuple[str, ...]) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", _files(BELOW), ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_below_imports_triage(path: Path) -> None:
    assert not [name for name in _imports(path) if name.partition(".")[0] == "triage"]


def test_no_pickle_no_network_no_evaluation() -> None:
    bad = []
    for path in _files(ALL):
        bad += [
            f"{path}: imports {name}"
            for name in _imports(path)
            if name.partition(".")[0] in FORBIDDEN_MODULES and name not in ALLOWED.get(path.relative_to(ROOT).parent, {"urllib.parse"})
        ]
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
                bad.append(f"{path}:{node.lineno}: {node.func.id}")
            if isinstance(node, ast.keyword) and node.arg == "shell":
                bad.append(f"{path}: shell=")
    assert not bad


def test_the_top_level_is_as_agreed() -> None:
    agreed = {"triage", "artefacts", "hashsets", "rules", "report_templates", "portable", "tests"}
    folders = {
        path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".") and not path.name.endswith(".egg-info")
    }
    assert agreed <= folders
    assert folders - agreed <= {"build", "dist", "__pycache__"}
