"""Shortcuts and jump lists: the specimens, own fixtures, damage."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from artefacts.coverage import Unrecognised
from artefacts.times import NoTime
from artefacts.windows import jump_lists, lnk, shell_link

RECENT = "/Users/jo/AppData/Roaming/Microsoft/Windows/Recent"
_STAMP = 131459172035487843  # 2017-07-30T19:40:03.5487843Z


def read(evidence: Any, data: bytes, parser: Any = lnk.parse, name: str = "x.lnk") -> tuple[list[Any], list[Any]]:
    result: tuple[list[Any], list[Any]] = evidence({f"{RECENT}/{name}": data}).parse(parser, f"{RECENT}/{name}")
    return result


def link(path: str, *, serial: int = 0x2CA3D1AE, label: str = "STICK", machine: str = "desk", arguments: str = "") -> bytes:
    """A shell link to a file on a removable drive."""
    header = shell_link.SIGNATURE + struct.pack(
        "<IIQQQIIIHHII", 0x02 | 0x80 | (0x20 if arguments else 0), 0x20, _STAMP, _STAMP + 10_000_000, _STAMP, 4321, 0, 1, 0, 0, 0, 0
    )
    volume = struct.pack("<IIII", 17 + len(label), 2, serial, 16) + label.encode() + b"\0"
    local = path.encode("cp1252") + b"\0"
    end = 28 + len(volume) + len(local)
    info = struct.pack("<7I", end + 1, 28, 1, 28, 28 + len(volume), 0, end) + volume + local + b"\0"
    texts = struct.pack("<H", len(arguments)) + arguments.encode("utf-16-le") if arguments else b""
    droid = UUID("7bcd46ec-7f22-11dd-9499-00137216874a").bytes_le
    tracker = struct.pack("<IIII", 96, 0xA0000003, 88, 0) + machine.encode().ljust(16, b"\0") + droid * 4
    return header + info + texts + tracker + bytes(4)


def test_own_fixture(evidence: Any) -> None:
    [seen], problems = read(evidence, link("E:\\Holiday\\list.txt", arguments="-a b"))
    assert problems == []
    assert (seen.path, seen.size, seen.user, seen.how) == ("E:\\Holiday\\list.txt", 4321, "jo", "opened (shortcut in Recent)")
    assert (seen.created.isoformat(), seen.accessed.isoformat()) == ("2017-07-30T19:40:03.5487843Z", "2017-07-30T19:40:04.5487843Z")
    assert seen.volume == {
        "kind": "removable drive", "serial": "2CA3D1AE", "label": "STICK", "machine": "desk", "machine_mac": "00:13:72:16:87:4a",
    }  # fmt: skip
    assert seen.detail == "arguments: -a b"


def test_a_link_cut_short_says_so(evidence: Any) -> None:
    whole = link("E:\\Holiday\\list.txt")
    for length, part in ((80, "place of the target"), (len(whole) - 40, "additional blocks")):
        try:
            _, problems = read(evidence, whole[:length])
        except Unrecognised as error:
            assert "damaged" in str(error)
        else:
            assert any(part in problem.reason for problem in problems)
    with pytest.raises(Unrecognised):
        read(evidence, b"\x02" + bytes(200))


@pytest.mark.specimens
def test_every_link_specimen(evidence: Any, specimens: Path) -> None:
    targets = {}
    for path in sorted((specimens / "lnk/EricZimmerman").rglob("*")) + sorted((specimens / "lnk/dissect").iterdir()):
        if path.is_file() and path.parent.name != "Bad":
            [seen], problems = read(evidence, path.read_bytes())
            assert problems == [] and not seen.path.startswith("["), path
            targets[path.name] = seen
    assert len(targets) == 301
    assert targets["native.xp.02.test"].path == "hcp://system/compatctr/compatmode.htm"
    assert targets["Microsoft.XboxApp.lnk.test"].path == "Microsoft.XboxApp_8wekyb3d8bbwe!Microsoft.XboxApp"
    assert targets["local.file.darwin.test"].detail == "installer product: {AC76BA86-7AD7-1036-7B44-A93000000001}"


@pytest.mark.specimens
def test_bad_links(evidence: Any, specimens: Path) -> None:
    with pytest.raises(Unrecognised):
        read(evidence, (specimens / "lnk/EricZimmerman/Bad/$I2GXWHL.lnk").read_bytes())
    # Its structure is whole; what nobody reads is the control panel item that is its target.
    _, problems = read(evidence, (specimens / "lnk/EricZimmerman/Bad/ImDisk Virtual Disk Driver.test").read_bytes())
    assert len(problems) == 1 and "form that cannot be read" in problems[0].reason


@pytest.mark.specimens
@pytest.mark.parametrize(
    "name", ["broken_link_info", "console_properties_block", "invalid_date", "invalid_date3", "microsoft_example", "network_info"]
)
def test_links_agree_with_their_published_reading(evidence: Any, specimens: Path, name: str) -> None:
    expected = json.loads((specimens / f"expected/LnkParse3/{name}.json").read_text(encoding="utf-8"))
    [seen], problems = read(evidence, base64.b64decode((specimens / f"lnk/LnkParse3/samples/{name}").read_bytes()))
    assert problems == []
    for ours, theirs in ((seen.time, "modified_time"), (seen.created, "creation_time"), (seen.accessed, "accessed_time")):
        assert ours.isoformat()[:19] == expected["header"][theirs][:19]
    assert seen.size in (expected["header"]["file_size"], None)
    place = expected["link_info"].get("location_info", {})
    if "drive_serial_number" in place:
        assert int(seen.volume["serial"], 16) == int(place["drive_serial_number"], 16)
        assert seen.volume.get("label", "") == place["volume_label"] and seen.path == expected["link_info"]["local_base_path"]
    tracker = expected["extra"].get("DISTRIBUTED_LINK_TRACKER_BLOCK")
    assert name == "network_info" or tracker is None or seen.volume["machine"] == tracker["machine_identifier"]


@pytest.mark.specimens
@pytest.mark.parametrize(
    ("path", "count", "pinned"),
    [
        ("Win10/5f7b5f1e01b83767", 0, 0), ("Win10/7e4dca80246863e3", 1, 0), ("Win10/f01b4d95cf55d32a", 9, 4),
        ("Win7/1b4dd67f29cb1962", 4, 0), ("Win80/f01b4d95cf55d32a", 4, 0), ("Win81/f01b4d95cf55d32a", 4, 0),
    ],
)  # fmt: skip
def test_jump_list_specimens(evidence: Any, specimens: Path, path: str, count: int, pinned: int) -> None:
    data = (specimens / f"jumplist/EricZimmerman/{path}.automaticDestinations-ms").read_bytes()
    name = f"{path.split('/')[1]}.automaticDestinations-ms"
    observations, problems = read(evidence, data, jump_lists.parse_automatic, name)
    assert problems == [] and len(observations) == count and not any(item.recovered for item in observations)
    assert sum("; pinned" in item.detail for item in observations) == pinned
    assert all(item.user == "jo" and f"application {name[:16]}" in item.detail for item in observations)
    if count == 9:
        assert (observations[0].path, observations[0].used.isoformat(), observations[0].count, observations[0].volume) == (
            "C:\\Temp", "2015-11-24T20:31:34.4475253Z", 2,
            {"machine": "desktop-annfp9d", "kind": "fixed drive", "serial": "801B6F31", "machine_mac": "00:15:5d:01:6d:02"},
        )  # fmt: skip


@pytest.mark.specimens
def test_custom_jump_list_specimen(evidence: Any, specimens: Path) -> None:
    name = "5afe4de1b92fc382.customDestinations-ms"
    data = base64.b64decode((specimens / f"lnk/LnkParse3/raw/{name}").read_bytes())
    expected = json.loads((specimens / f"expected/LnkParse3/{name}.json").read_text(encoding="utf-8"))
    observations, problems = read(evidence, data, jump_lists.parse_custom, name)
    assert problems == [] and len(observations) == len(expected) == 9
    for seen, theirs in zip(observations, expected, strict=True):
        assert theirs["data"]["command_line_arguments"] in seen.detail


def test_custom_jump_list_carves_each_link(evidence: Any) -> None:
    first, second = link("E:\\one.txt"), link("F:\\two.txt", serial=7)
    head = struct.pack("<IIII", 2, 1, 0, 0)
    whole = head + first + second + b"\xab\xfb\xbf\xba"
    observations, problems = read(evidence, whole, jump_lists.parse_custom)
    assert problems == [] and [item.path for item in observations] == ["E:\\one.txt", "F:\\two.txt"]
    observations, problems = read(evidence, head + first[:-90] + second, jump_lists.parse_custom)
    assert observations[-1].path == "F:\\two.txt" and {problem.locator for problem in problems} == {
        "offset=16",
        f"offset={len(whole) - 94}",
    }


def test_entries_of_a_list_without_their_links(evidence: Any) -> None:
    entry = bytearray(130)
    entry[72:76] = b"desk"
    struct.pack_into("<I8xQi", entry, 88, 5, _STAMP, -1)
    struct.pack_into("<I", entry, 116, 3)
    struct.pack_into("<H", entry, 128, 3)
    data = struct.pack("<II24x", 4, 2) + entry + "D:\\".encode("utf-16-le") + bytes(4)
    (record, number, pinned), problem = jump_lists._entries(data)  # type: ignore[misc]
    assert (record.path, record.count, record.used.isoformat(), number, pinned) == ("D:\\", 3, "2017-07-30T19:40:03.5487843Z", 5, False)
    assert "counts 2 entries, 1 were read" in problem.reason  # type: ignore[union-attr]


@pytest.mark.specimens
def test_damage_is_survived(evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = (specimens / "jumplist/EricZimmerman/Win10/f01b4d95cf55d32a.automaticDestinations-ms").read_bytes()
    troubled = 0
    for parser, whole, count in (
        (jump_lists.parse_automatic, data, 80),
        (jump_lists.parse_custom, struct.pack("<IIII", 2, 1, 0, 0) + link("E:\\one.txt") * 3 + b"\xab\xfb\xbf\xba", 60),
        (lnk.parse, link("E:\\one.txt", arguments="x"), 100),
    ):
        for copy in mutations(whole, count):
            try:
                observations, problems = read(evidence, copy, parser)
            except Unrecognised:
                continue
            json.dumps([item.to_json() for item in observations])
            troubled += bool(problems)
    assert troubled > 20


def test_times_that_are_not_set(evidence: Any) -> None:
    data = bytearray(link("E:\\one.txt"))
    data[28:52] = bytes(24)
    [seen], _ = read(evidence, bytes(data))
    assert isinstance(seen.time, NoTime) and isinstance(seen.created, NoTime)
