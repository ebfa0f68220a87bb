"""Shadow copies: what only they hold is scanned in the profile full, and listed with their dates in any other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from triage.evidence.sources import open_source
from triage.scan.shadow import only_here

pytestmark = pytest.mark.specimens
IMAGE = "images/dfvfs-encrypted-and-vss/vss.raw.xz"
RECORD = 1024


@pytest.fixture
def image(unpacked: Callable[[str], Path], tmp_path: Path) -> Path:
    """The specimen, with ``/passwords.txt`` marked as deleted in the volume. Its shadow copies keep that part of the $MFT as it was."""
    data = bytearray(unpacked(IMAGE).read_bytes())
    source = open_source(unpacked(IMAGE))
    entry = source.filesystem(source.volumes()[0]).lookup("/passwords.txt")
    source.close()
    assert entry is not None
    start = int.from_bytes(data[0x30:0x38], "little") * 512 * data[0x0D] + int(entry.address.split("-")[0]) * RECORD
    assert data[start : start + 4] == b"FILE" and data[start + 22] == 1
    data[start + 22] = 0
    target = tmp_path / "vss.raw"
    target.write_bytes(data)
    return target


def own(paths: set[str]) -> list[str]:
    return sorted(path for path in paths if not path.startswith(("/$", "/System Volume Information")))


def test_only_what_is_gone_or_changed(image: Path) -> None:
    source = open_source(image, shadows=True)
    try:
        shadows = [volume for volume in source.volumes() if volume.scheme == "vss"]
        assert [volume.description.split(",")[0] for volume in shadows] == [
            "shadow copy of 2021-05-01T17:40:03Z", "shadow copy of 2021-05-01T17:41:28Z",
        ]  # fmt: skip
        found = []
        for volume in shadows:
            filesystem = source.filesystem(volume)
            every = {entry.path for chunk in filesystem.entries() for entry in chunk if entry.allocated}
            assert "/a_directory/a_file" in every and "/passwords.txt" in every
            found.append({entry.path for chunk in only_here(source, volume, filesystem, lambda: None) for entry in chunk})
        # What the newer copy still has, the older one need not give again.
        assert [own(paths) for paths in found] == [[], ["/passwords.txt"]]
    finally:
        source.close()


def test_by_default_they_are_listed(image: Path) -> None:
    source = open_source(image)
    try:
        assert {volume.status.value for volume in source.volumes() if volume.scheme == "vss"} == {"skipped_by_rule"}
    finally:
        source.close()


def test_a_full_scan_reads_them(image: Path, scan: Callable[..., Any]) -> None:
    result = scan(image, "--profile", "full")
    assert result.code in (0, 3), result.err
    listed: dict[str, dict[str, Any]] = {}
    for record in result.journal:
        if record["kind"] == "listing":
            for row in record["data"]["rows"]:
                values = dict(zip(record["data"]["columns"], row, strict=True))
                listed.setdefault(record["data"]["volume"], {})[values["path"]] = values
    assert own(set(listed.get("v1.1", ()))) == []
    assert own(set(listed["v1.2"])) == ["/passwords.txt"]
    assert listed["v1.2"]["/passwords.txt"]["size"] == 126
    assert len(listed["v1.2"]["/passwords.txt"]["md5"]) == 32
    (volume,) = [record["data"] for record in result.journal if record["kind"] == "volume" and record["data"]["id"] == "v1.2"]
    assert volume["description"].startswith("shadow copy of 2021-05-01T17:41:28Z")
