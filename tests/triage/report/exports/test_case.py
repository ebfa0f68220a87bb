"""CASE: what case_validate says, and that everything referred to is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from triage.report.exports import export


def _graph(folder: Path, out: Path) -> list[dict[str, Any]]:
    export(folder, "case", out)
    return list(json.loads(out.read_bytes())["@graph"])


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["@id"]] if set(node) == {"@id"} else []
        return own + [name for value in node.values() for name in _references(value)]
    return [name for item in node for name in _references(item)] if isinstance(node, list) else []


def test_each_kind_of_record_is_there_and_every_reference_leads_somewhere(rich: Any, tmp_path: Path) -> None:
    graph = _graph(rich(12), tmp_path / "case.jsonld")
    kinds = [node["@type"].split(":")[1] for node in graph]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "Investigation": 1, "Authorization": 1, "Person": 1, "Tool": 1, "ObservableObject": 1, "ProvenanceRecord": 2, "InvestigativeAction": 1,
        "URLHistory": 12, "URL": 12, "Application": 1 + 12, "File": 12 + 12, "Device": 12, "UserAccount": 12, "Annotation": 12,
    }  # fmt: skip
    names = [node["@id"] for node in graph]
    assert len(set(names)) == len(names)
    assert set(_references(graph)) <= set(names)
    file = next(node for node in graph if node["@type"] == "uco-observable:File" and len(node["uco-core:hasFacet"]) == 2)
    assert file["uco-core:hasFacet"][1]["uco-observable:hash"][0]["uco-types:hashMethod"] == "MD5"


@pytest.mark.slow
def test_case_validate_passes_it(rich: Any, tmp_path: Path) -> None:
    # The validator needs 0.1 s a node; 2,800 observations were passed by hand (rich(400), 200 s).
    out = tmp_path / "case.jsonld"
    _graph(rich(20), out)
    done = subprocess.run([Path(sys.executable).parent / "case_validate", out], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    # A validator that passes everything would pass this too.
    out.write_text(out.read_text().replace("uco-observable:fileName", "uco-observable:filename"))
    assert subprocess.run([Path(sys.executable).parent / "case_validate", out], capture_output=True).returncode == 1
