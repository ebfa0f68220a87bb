"""The generated documentation: complete, and its levels of validation true."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from pathlib import Path

import pytest

import artefacts
from artefacts.registry import Artefact, all_artefacts
from triage.cli import application

TESTS = Path(__file__).parents[2]


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    application("artefacts")(["artefacts", *arguments], standalone_mode=False)
    return capsys.readouterr().out


def test_page_is_complete(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = _run(capsys)
    for item in all_artefacts():
        entry = page.split(f"- Id: `{item.parser}`")
        assert len(entry) == 2, item.id
        assert entry[0].rstrip().endswith(item.meaning) and f"### {item.title}\n" in entry[0], item.id
        facts = entry[1].split("\n\n")[0]
        assert all(f"`{path}`" in facts for path in item.paths) and item.validation in facts, item.id
        assert all(f"<{reference}>" in facts for reference in item.references), item.id
    assert [row["id"] for row in json.loads(_run(capsys, "--json"))] == [item.id for item in all_artefacts()]
    _run(capsys, "--out", str(tmp_path / "page.md"))
    assert (tmp_path / "page.md").read_text("utf-8") == page


@pytest.mark.parametrize("item", all_artefacts(), ids=lambda item: item.id)
def test_declaration_says_what_a_reader_needs(item: Artefact) -> None:
    assert item.title and item.paths and item.systems and item.validation
    assert item.meaning.endswith(".") and len(item.meaning) > 15, item.meaning
    assert item.references, "the source of the format"
    assert set(item.systems) <= {"windows", "macos", "linux"}


def _modules() -> dict[str, str]:
    """The module that declares each artefact."""
    found = {}
    for module in pkgutil.walk_packages(artefacts.__path__, "artefacts."):
        for item in getattr(importlib.import_module(module.name), "ARTEFACTS", ()):
            found[item.id] = module.name
    return found


def _is_tested(item: Artefact, module: str, texts: list[str]) -> bool:
    """Whether a test names the module, or, where it goes through all artefacts of a kind, the last words of the id."""
    word = re.compile(rf"\b{module.rpartition('.')[2]}\b|[\"']{re.escape(item.id.split('.', 2)[-1])}[\"']")
    return any(word.search(text) for text in texts)


def test_what_claims_a_specimen_is_tested_with_specimens() -> None:
    texts = [path.read_text("utf-8") for path in (TESTS / "artefacts").rglob("test_*.py")]
    with_specimens = [text for text in texts if re.search(r"\bspecimens\b|\bunpacked\b", text)]
    modules = _modules()
    claims = [item for item in all_artefacts() if "specimen" in item.validation]
    assert [item.id for item in claims if not _is_tested(item, modules[item.id], with_specimens)] == []


def test_every_artefact_is_tested() -> None:
    texts = [path.read_text("utf-8") for path in (TESTS / "artefacts").rglob("test_*.py")]
    modules = _modules()
    assert [item.id for item in all_artefacts() if not _is_tested(item, modules[item.id], texts)] == []
