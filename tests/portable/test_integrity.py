"""The list of a bundle's files, and what the check against it tells."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from portable import integrity


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "triage"
    (folder / "_internal" / "rules").mkdir(parents=True)
    (folder / "triage.exe").write_bytes(b"MZ" + bytes(100_000))
    (folder / "_internal" / "big.dll").write_bytes(bytes(200_000))
    (folder / "_internal" / "rules" / "findings.yaml").write_text("- id: x\n")
    integrity.write(folder, {"version": "1.0", "target": "windows"})
    return folder


def test_every_file_is_listed_with_its_digest(bundle: Path) -> None:
    listed = json.loads((bundle / "bundle.json").read_text())
    assert (listed["schema"], listed["version"], listed["target"]) == ("triage-bundle/1", "1.0", "windows")
    assert list(listed["files"]) == ["_internal/big.dll", "_internal/rules/findings.yaml", "triage.exe"]
    assert listed["files"]["_internal/rules/findings.yaml"] == {"size": 8, "sha256": hashlib.sha256(b"- id: x\n").hexdigest()}
    assert integrity.quick_check(bundle) == integrity.full_check(bundle) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: (f / "_internal" / "rules" / "findings.yaml").write_text("- id: y\n"), "_internal/rules/findings.yaml was changed"),
        (lambda f: (f / "_internal" / "big.dll").write_bytes(b"x"), "_internal/big.dll was changed"),
        (lambda f: (f / "_internal" / "big.dll").unlink(), "_internal/big.dll is missing"),
        (lambda f: (f / "_internal" / "python3.dll").write_bytes(b""), "_internal/python3.dll does not belong to the bundle"),
        (lambda f: os.truncate(f / "triage.exe", 5), "triage.exe was changed"),
    ],
)
def test_a_change_is_told_at_every_start(bundle: Path, change: Callable[[Path], object], said: str) -> None:
    change(bundle)
    assert integrity.quick_check(bundle) == [said] == integrity.full_check(bundle)


def test_a_large_library_of_the_same_size_is_told_by_the_full_check_alone(bundle: Path) -> None:
    (bundle / "_internal" / "big.dll").write_bytes(b"\1" * 200_000)
    assert integrity.quick_check(bundle) == []
    assert integrity.full_check(bundle) == ["_internal/big.dll was changed"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"files": 3}', "\udcff"])
def test_a_list_that_is_none_is_told(bundle: Path, content: str) -> None:
    (bundle / "bundle.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    (problem,) = integrity.quick_check(bundle)
    assert problem.startswith("bundle.json cannot be read")
