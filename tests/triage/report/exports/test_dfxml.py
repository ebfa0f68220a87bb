"""DFXML: well formed, every listed file under its volume, children in the order of the schema."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from triage.report.exports import export

_NS = "{http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML}"


def _children(element: ElementTree.Element) -> list[str]:
    return [child.tag.removeprefix(_NS) for child in element]


def test_files_under_their_volumes(makers: SimpleNamespace, tmp_path: Path) -> None:
    maker = makers.Maker(tmp_path / "c").open().source()
    maker.volume(id="v2", offset=1 << 30, filesystem=None)
    maker.list({"path": "/a & b <c>.txt", **makers.digest("a"), "address": "41-128-1"})
    maker.list({"path": "/other", "kind": "directory"}, volume="v2")
    maker.list({"path": "/x\x1b\udc80", "allocated": False, "local_times": True, "address": "n/a"})
    export(maker.finish(), "dfxml", tmp_path / "d.xml")
    root = ElementTree.parse(tmp_path / "d.xml").getroot()
    assert _children(root) == ["metadata", "creator", "source", "volume", "volume"]
    first, second = root.findall(f"{_NS}volume")
    assert (first.get("offset"), second.get("offset")) == (str(1 << 20), str(1 << 30))
    assert _children(first) == ["ftype_str", "fileobject", "fileobject"] and _children(second) == ["fileobject"]
    one, two = first.findall(f"{_NS}fileobject")
    assert _children(one) == [
        "filename",
        "name_type",
        "filesize",
        "alloc",
        "inode",
        "mtime",
        "ctime",
        "atime",
        "crtime",
        *["hashdigest"] * 3,
    ]
    assert one.findtext(f"{_NS}filename") == "a & b <c>.txt" and one.findtext(f"{_NS}inode") == "41"
    assert one.findtext(f"{_NS}mtime") == "2026-09-21T14:13:20Z"
    assert _children(two) == ["filename", "name_type", "filesize", "alloc"]
    assert two.findtext(f"{_NS}filename") == "x⟨ESC⟩⟨U+DC80⟩" and two.findtext(f"{_NS}alloc") == "0"


def test_same_children_as_the_validated_example(rich: Any, tmp_path: Path) -> None:
    example = Path(__file__).parents[5] / "shared" / "reference" / "dfxml_min_valid.xml"
    if not example.is_file():
        pytest.skip("no ../shared/reference")
    export(rich(200), "dfxml", tmp_path / "d.xml")
    ours, theirs = ElementTree.parse(tmp_path / "d.xml").getroot(), ElementTree.parse(example).getroot()
    assert ours.tag == theirs.tag and ours.attrib == theirs.attrib
    order = _children(theirs.find(f".//{_NS}fileobject"))  # type: ignore[arg-type]
    mine = _children(ours.find(f".//{_NS}fileobject"))  # type: ignore[arg-type]
    assert [name for name in mine if name in order] == [name for name in order if name in mine and name != "hashdigest"] + [
        "hashdigest"
    ] * 3
    assert len(ours.findall(f".//{_NS}fileobject")) == 400
