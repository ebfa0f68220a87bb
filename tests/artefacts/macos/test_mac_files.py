"""macOS artefacts of which there is no specimen, from files written here."""

from __future__ import annotations

import gzip
import plistlib
import sqlite3
import struct
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Status, Unrecognised
from artefacts.macos import (
    accounts,
    applications,
    biome,
    devices,
    ds_store,
    finder,
    fsevents,
    knowledge,
    logs,
    networks,
    privacy,
    property_lists,
    quarantine,
    shared_file_lists,
    spotlight,
    startup,
    system,
    time_machine,
    unified_log,
)  # fmt: skip
from artefacts.registry import Parser

WHEN = datetime(2024, 3, 4, 5, 6, 7)
COCOA = 731_221_567.0  # the same, in seconds since 2001
SAID = "2024-03-04T05:06:07Z"


@pytest.fixture
def read(evidence: Any) -> Callable[..., list[Any]]:
    """``read(parser, content, path)``: observations as JSON values; a problem fails the test. A dict or list becomes a property list."""

    def of(parse: Parser, content: Any, path: str = "/Users/jo/Library/x.plist") -> list[Any]:
        data = content if isinstance(content, bytes) else plistlib.dumps(content, fmt=plistlib.FMT_BINARY)
        observations, problems = evidence({path: data}).parse(parse, path)
        assert problems == []
        return [item.to_json() for item in observations]

    return of


@pytest.fixture
def database(tmp_path: Path) -> Callable[..., bytes]:
    """``database("create …", ("insert …", values), …)`` is the file."""

    def make(*statements: Any) -> bytes:
        path = tmp_path / "db"
        path.unlink(missing_ok=True)
        connection = sqlite3.connect(path)
        for item in statements:
            connection.execute(*((item,) if isinstance(item, str) else item))
        connection.commit()
        connection.close()
        return path.read_bytes()

    return make


def bookmark(path: str, label: str = "STICK") -> bytes:
    """Bookmark data that names a path and its volume."""
    body = bytearray(4)
    places = {}

    def item(kind: int, raw: bytes) -> int:
        place = len(body)
        body.extend(struct.pack("<II", len(raw), kind) + raw + bytes(-len(raw) % 4))
        return place

    parts = [item(0x0101, part.encode()) for part in path.strip("/").split("/")]
    places[0x1004] = item(0x0601, struct.pack(f"<{len(parts)}I", *parts))
    places[0x1040] = item(0x0400, struct.pack(">d", COCOA))
    places[0x2010] = item(0x0101, label.encode())
    struct.pack_into("<I", body, 0, len(body))
    entries = b"".join(struct.pack("<3I", key, place, 0) for key, place in sorted(places.items()))
    body += struct.pack("<5I", 8 + len(entries), 0xFFFFFFFE, 1, 0, len(places)) + entries
    return b"book" + struct.pack("<III", 48 + len(body), 0x10040000, 48) + bytes(32) + bytes(body)


def archive(tree: Any) -> dict[str, Any]:
    """A keyed archive of dicts, lists and plain values."""
    objects: list[Any] = ["$null"]

    def add(value: Any) -> plistlib.UID:
        place = len(objects)
        objects.append(None)
        if isinstance(value, dict):
            objects[place] = {"NS.keys": [add(key) for key in value], "NS.objects": [add(item) for item in value.values()]}
        elif isinstance(value, list):
            objects[place] = {"NS.objects": [add(item) for item in value]}
        else:
            objects[place] = value
        return plistlib.UID(place)

    return {"$version": 100000, "$archiver": "NSKeyedArchiver", "$top": {"root": add(tree)}, "$objects": objects}


def test_programs(read: Any) -> None:
    info = {"CFBundleName": "Example", "CFBundleShortVersionString": "1.2", "CFBundleIdentifier": "org.example"}
    (bundle,) = read(applications.parse_bundle, info, "/Applications/Example.app/Contents/Info.plist")
    assert (bundle["name"], bundle["version"], bundle["path"]) == ("Example", "1.2", "/Applications/Example.app")
    receipt = {"PackageIdentifier": "org.example.pkg", "PackageVersion": "3", "InstallDate": WHEN, "InstallPrefixPath": "Applications"}
    (found,) = read(applications.parse_receipt, receipt)
    assert (found["name"], found["installed"], found["path"]) == ("org.example.pkg", SAID, "/Applications")
    (past,) = read(applications.parse_history, [{"displayName": "Gone", "displayVersion": "9", "date": WHEN, "processName": "Installer"}])
    assert (past["name"], past["installed"], past["how"]) == ("Gone", SAID, "installation history (Installer)")


def test_quarantine(evidence: Any, database: Any) -> None:
    columns = "LSQuarantineEventIdentifier TEXT PRIMARY KEY, LSQuarantineTimeStamp REAL, LSQuarantineAgentName TEXT, LSQuarantineDataURLString TEXT, LSQuarantineOriginURLString TEXT"
    values = [
        (f"{n:08d}-0000-0000-0000-000000000000", COCOA + n, "Browser", f"https://example.org/{n}", "https://example.org/" + "page/" * 20)
        for n in range(3)
    ]
    inserts = [("insert into LSQuarantineEvent values (?,?,?,?,?)", row) for row in values]
    data = database(
        "pragma secure_delete=off", f"create table LSQuarantineEvent ({columns})", *inserts, "delete from LSQuarantineEvent where rowid=2"
    )
    observations, problems = evidence({"/Users/jo/x": data}).parse(quarantine.parse, "/Users/jo/x")
    assert problems == []
    found = [(item.url, item.to_json()["started"], item.recovered) for item in observations]
    assert found == [
        ("https://example.org/0", SAID, False),
        ("https://example.org/2", "2024-03-04T05:06:09Z", False),
        ("https://example.org/1", "2024-03-04T05:06:08Z", True),
    ]


def test_a_database_of_another_program_is_refused(evidence: Any, database: Any) -> None:
    for parse in (quarantine.parse, knowledge.parse, privacy.parse):
        with pytest.raises(Unrecognised):
            evidence({"/x": database("create table other (a)")}).parse(parse, "/x")


def test_knowledge(read: Any, database: Any) -> None:
    create = "create table ZOBJECT (Z_PK INTEGER PRIMARY KEY, ZSTREAMNAME TEXT, ZVALUESTRING TEXT, ZVALUEINTEGER INTEGER, ZSTARTDATE REAL, ZENDDATE REAL)"
    rows = [("/app/inFocus", "org.example", None, COCOA, COCOA + 60), ("/app/inFocus", "org.example", None, COCOA + 86400, COCOA + 86430),
            ("/device/isLocked", None, 1, COCOA, COCOA + 5), ("/other", "x", None, COCOA, COCOA)]  # fmt: skip
    inserts = [
        ("insert into ZOBJECT (ZSTREAMNAME, ZVALUESTRING, ZVALUEINTEGER, ZSTARTDATE, ZENDDATE) values (?,?,?,?,?)", row) for row in rows
    ]
    run, locked = read(knowledge.parse, database(create, *inserts))
    assert (run["program"], run["count"], run["time"]) == ("org.example", 2, "2024-03-05T05:06:07Z")
    assert "90 seconds on 2 days" in run["time_meaning"] and SAID in run["time_meaning"]
    assert locked["value"].startswith("screen locked, yes: 1 times")


def message(program: str) -> bytes:
    return b"\x18\x01" + bytes([6 << 3 | 2, len(program)]) + program.encode()


def segb_1(contents: list[bytes]) -> bytes:
    body = b""
    for number, content in enumerate(contents):
        body += struct.pack("<iiddIi", len(content), 1, COCOA + number, COCOA, 0, 0) + content + bytes(-len(content) % 8)
    return struct.pack("<I", 56 + len(body)) + bytes(48) + b"SEGB" + body


def segb_2(contents: list[bytes]) -> bytes:
    body, table = b"", b""
    for number, content in enumerate(contents):
        body += bytes(8) + content
        table = struct.pack("<iid", len(body), 3 if number else 1, COCOA + number) + table
        body += bytes(-len(body) % 4)
    return b"SEGB" + struct.pack("<id16x", len(contents), COCOA) + body + table


@pytest.mark.parametrize(("write", "deleted"), [(segb_1, 0), (segb_2, 2)])
def test_biome(read: Any, evidence: Any, mutations: Any, write: Any, deleted: int) -> None:
    data, path = (
        write([message("org.example"), message("org.other"), message("org.example")]),
        "/Users/jo/Library/Biome/streams/restricted/App.InFocus/local/1",
    )
    fact, example, other = read(biome.parse, data, path)
    assert fact["value"].startswith(f"3 records, {deleted} of them deleted") and fact["time"] == SAID
    assert (example["program"], example["count"], example["time"]) == ("org.example", 2, "2024-03-04T05:06:09Z")
    assert (other["program"], other["user"]) == ("org.other", "jo")
    _, problems = evidence({path: data[:-20]}).parse(biome.parse, path)
    assert problems
    for copy in mutations(data, 80):
        try:
            evidence({path: copy}).parse(biome.parse, path)
        except Unrecognised:
            pass


def test_shared_file_lists(read: Any, evidence: Any, mutations: Any) -> None:
    data = archive({"items": [{"Name": "report", "Bookmark": bookmark("/Volumes/STICK/report.odt")}, {"Name": "by name"}]})
    first, second = read(shared_file_lists.parse, data, "/Users/jo/x/com.apple.LSSharedFileList.RecentDocuments.sfl2")
    assert (first["path"], first["created"], first["volume"]) == ("/Volumes/STICK/report.odt", SAID, {"label": "STICK"})
    assert first["how"] == "shared file list RecentDocuments" and second["how"].endswith("by name only")
    old = {"RecentDocuments": {"CustomListItems": [{"Name": "a", "Bookmark": bookmark("/Users/jo/a.txt")}]}}
    assert [item["path"] for item in read(shared_file_lists.parse_recent_items, old)] == ["/Users/jo/a.txt"]
    for copy in mutations(plistlib.dumps(data, fmt=plistlib.FMT_BINARY), 100):
        try:
            evidence({"/x.sfl2": copy}).parse(shared_file_lists.parse, "/x.sfl2")
        except Unrecognised:
            pass


def test_an_archive_that_holds_itself_ends() -> None:
    objects: list[Any] = ["$null", {"NS.objects": [plistlib.UID(1)] * 50}]
    property_lists.unarchived({"$top": {"root": plistlib.UID(1)}, "$objects": objects})
    with pytest.raises(ValueError, match="not a keyed archive"):
        property_lists.unarchived({"$top": {}})


def test_finder(read: Any) -> None:
    settings = {
        "FXRecentFolders": [{"name": "photos", "file-bookmark": bookmark("/Volumes/STICK/photos")}],
        "FXDesktopVolumePositions": {"STICK_0x1.5c5p+29": {}, "Other_Disk_-0x1.8p+2": {}},
        "GoToField": "smb://server/share",
    }
    folder, other, stick, gone_to = read(finder.parse, settings)
    assert (folder["path"], folder["volume"]) == ("/Volumes/STICK/photos", {"label": "STICK"})
    assert (stick["kind"], stick["name"], other["name"], gone_to["path"]) == ("volume", "STICK", "Other_Disk", "smb://server/share")


def test_spotlight(read: Any) -> None:
    query, opened = read(spotlight.parse, {"exam": {"DISPLAY_NAME": "Example", "LAST_USED": WHEN, "PATH": "/Applications/Example.app"}})
    assert (query["terms"], query["last"], opened["path"], opened["used"]) == ("exam", SAID, "/Applications/Example.app", SAID)


def test_fsevents(evidence: Any) -> None:
    def page(records: list[tuple[str, int]]) -> bytes:
        body = b"".join(
            path.encode() + b"\0" + struct.pack("<QIQI", number, flags, 7, 0) for number, (path, flags) in enumerate(records, 1)
        )
        return b"3SLD" + bytes(4) + struct.pack("<I", 12 + len(body)) + body

    data = page(
        [("Users/jo/Desktop/a.txt", 0x00800002), ("Users/jo/b.txt", 0x00800008), ("System/x", 0x00800002), ("Volumes/STICK", 0x03000000)]
    )
    path = "/.fseventsd/0000000000000001"
    observations, problems = evidence({path: gzip.compress(data)}).parse(fsevents.parse, path)
    removed, renamed, mounted, fact = [item.to_json() for item in observations]
    assert problems == [] and (removed["type"], removed["path"], removed["user"]) == ("DeletedFile", "/Users/jo/Desktop/a.txt", "jo")
    assert (renamed["path"], mounted["name"]) == ("/Users/jo/b.txt", "STICK") and fact["value"] == "4 events, 1 to 4: 2 removed, 1 renamed"
    _, problems = evidence({path: gzip.compress(data[:-5])}).parse(fsevents.parse, path)
    assert [item.reason for item in problems] == ["cut off inside a page", "a record is cut short"]
    with pytest.raises(Unrecognised):
        evidence({path: b"plain"}).parse(fsevents.parse, path)


def ds_store_file(records: list[tuple[str, bytes, bytes, Any]]) -> bytes:
    """One node of records in one block."""
    node = struct.pack(">II", 0, len(records))
    for name, key, kind, value in records:
        raw = struct.pack(">I", len(value)) + value.encode("utf-16-be") if kind == b"ustr" else struct.pack(">I", len(value)) + value
        node += struct.pack(">I", len(name)) + name.encode("utf-16-be") + key + kind + raw
    # Offsets count from the fourth byte; an address is an offset and, in its lowest five bits, the size as a power of two.
    header, tree, info = 0x20, 0x1000, 0x800
    data = bytearray(4 + 0x3000)
    blocks = [info | 11, header | 5, tree | 12]
    listing = struct.pack(">II", len(blocks), 0) + struct.pack(">3I", *blocks).ljust(1024, b"\0") + struct.pack(">IB4sI", 1, 4, b"DSDB", 1)
    data[:20] = struct.pack(">I4sIII", 1, b"Bud1", info, 2048, info)
    data[4 + header : 4 + header + 20] = struct.pack(">5I", 2, 0, len(records), 1, 0x1000)
    data[4 + info : 4 + info + len(listing)] = listing
    data[4 + tree : 4 + tree + len(node)] = node
    return bytes(data)


def test_trash_says_where_things_lay(evidence: Any, mutations: Any) -> None:
    records = [
        ("a.txt", b"ptbL", b"ustr", "Users/jo/Documents/"), ("a.txt", b"ptbN", b"ustr", "old name.txt"),
        ("gone.txt", b"ptbL", b"ustr", "Users/jo/Desktop/"), ("seen.txt", b"modD", b"blob", struct.pack("<d", COCOA)),
    ]  # fmt: skip
    data, path = ds_store_file(records), "/Users/jo/.Trash/.DS_Store"
    observations, problems = evidence({path: data, "/Users/jo/.Trash/a.txt": b"hello"}).parse(ds_store.parse, path)
    there, gone, seen = [item.to_json() for item in observations]
    assert problems == [] and (there["path"], there["size"], there["content"]) == ("/Users/jo/Documents/old name.txt", 5, "recoverable")
    assert (gone["path"], gone["content"], gone["how"]) == (
        "/Users/jo/Desktop/gone.txt",
        None,
        "Trash: a folder, or emptied or put back since",
    )
    assert (seen["path"], seen["time"]) == ("/Users/jo/.Trash/seen.txt", SAID)
    for copy in mutations(data, 200):
        try:
            evidence({path: copy}).parse(ds_store.parse, path)
        except Unrecognised:
            pass
    cut, problems = evidence({path: data[:0x1040]}).parse(ds_store.parse, path)
    assert len(cut) < 3 and [item.status for item in problems] == [Status.FAILED]


def test_privacy(read: Any, database: Any) -> None:
    create = "create table access (service TEXT, client TEXT, client_type INTEGER, auth_value INTEGER, last_modified INTEGER, PRIMARY KEY (service, client))"
    (found,) = read(
        privacy.parse, database(create, "insert into access values ('kTCCServiceScreenCapture', 'org.example', 0, 2, 1709528767)")
    )
    assert (found["program"], found["setting"], found["value"]) == (
        "org.example",
        "privacy: record the screen",
        "allowed",
    ) and SAID in found["meaning"]
    old = "create table access (service TEXT, client TEXT, allowed INTEGER)"
    assert (
        read(privacy.parse, database(old, "insert into access values ('kTCCServiceAddressBook', 'org.example', 0)"))[0]["value"] == "denied"
    )


def test_time_machine(read: Any) -> None:
    settings = {
        "Destinations": [{"LastKnownVolumeName": "Backup", "DestinationID": "1", "SnapshotDates": [WHEN, datetime(2023, 1, 1)]}],
        "AutoBackup": False,
        "SkipPaths": ["/x"],
    }
    device, off, skipped = read(time_machine.parse, settings)
    assert (device["name"], device["first"], device["last"], device["count"]) == ("Backup", "2023-01-01T00:00:00Z", SAID, 2)
    assert (off["setting"], skipped["value"]) == ("AutoBackup", "/x")


def test_unified_log_says_that_it_is_not_read(evidence: Any) -> None:
    head = (
        struct.pack("<IIQ", 0x1000, 0x11, 0xD0)
        + bytes(32)
        + struct.pack("<i", 1_709_528_767)
        + bytes(60)
        + b"/var/db/timezone/zoneinfo/Europe/London\0"
    )
    (fact,), problems = evidence({"/a.tracev3": head.ljust(400, b"\0")}).parse(unified_log.parse, "/a.tracev3")
    assert fact.to_json()["time"] == SAID and "Europe/London" in fact.value and [item.status for item in problems] == [Status.SKIPPED]


def test_background_items_of_macos_13(read: Any) -> None:
    item = {"identifier": "org.example.agent", "name": "Agent", "developerName": "Example", "executablePath": "/usr/local/bin/agent"}
    (found,) = read(startup.parse_background_items, archive({"store": {"itemsByUserIdentifier": {"501": [item]}}}))
    assert (found["name"], found["command"], found["how"]) == ("Agent", "/usr/local/bin/agent", "background item (Example)")


def test_login_window_and_system(read: Any) -> None:
    assert [item["name"] for item in read(accounts.parse_login_window, {"lastUserName": "jo", "GuestEnabled": True})] == [
        "last user to sign in",
        "guest account",
    ]
    assert (
        read(system.parse_version, {"ProductName": "macOS", "ProductVersion": "14.1", "ProductBuildVersion": "23B74"})[0]["value"]
        == "macOS 14.1 (23B74)"
    )
    names = {"System": {"System": {"ComputerName": "Jo's Mac"}, "Network": {"HostNames": {"LocalHostName": "jos-mac"}}}}
    assert [item["value"] for item in read(system.parse_names, names)] == ["Jo's Mac", "jos-mac"]
    city = {"com.apple.preferences.timezone.selected_city": {"TimeZoneName": "Europe/London", "Name": "London"}}
    assert read(system.parse_global, city)[0]["value"] == "Europe/London, London"


def test_networks(read: Any) -> None:
    known = {"wifi.network.ssid.Home": {"SSID": b"Home", "AddedAt": datetime(2023, 1, 1), "JoinedBySystemAt": WHEN, "__OSSpecific__": {}}}
    (network,) = read(networks.parse_known, known)
    assert (network["name"], network["first"], network["last"]) == ("Home", "2023-01-01T00:00:00Z", SAID)
    old = {"KnownNetworks": {"wifi.ssid.<x>": {"SSIDString": "Cafe", "LastConnected": WHEN}}, "RememberedNetworks": [{"SSIDString": "Old"}]}
    assert [(item["name"], item["last"]) for item in read(networks.parse_airport, old)] == [("Cafe", SAID), ("Old", None)]
    lease = {
        "IPAddress": "10.0.0.2",
        "RouterIPAddress": "10.0.0.1",
        "RouterHardwareAddress": bytes.fromhex("0011223344ff"),
        "LeaseStartDate": WHEN,
        "SSID": "Home",
    }
    assert read(networks.parse_lease, lease)[0]["gateway_mac"] == "00:11:22:33:44:ff"


def test_devices(read: Any) -> None:
    settings = {
        "DeviceCache": {"00-11-22-33-44-55": {"Name": "Phone", "ClassOfDevice": 0x5A020C, "LastInquiryUpdate": WHEN}},
        "PairedDevices": ["00-11-22-33-44-55", "66-77-88-99-aa-bb"],
    }
    phone, unnamed = read(devices.parse_bluetooth, settings)
    assert (phone["kind"], phone["name"], phone["last"], phone["how"]) == ("phone", "Phone", SAID, "Bluetooth, paired")
    assert unnamed["identifier"] == "66:77:88:99:aa:bb"
    apple = {
        "Devices": {
            "ABC": {
                "Device Class": "iPhone",
                "Product Type": "iPhone12,1",
                "Serial Number": "S1",
                "Connected": WHEN,
                "IMEI": "356938035643809",
                "Use Count": 4,
            }
        }
    }
    (device,) = read(devices.parse_ipods, apple)
    assert (device["kind"], device["serial"], device["last"], device["count"]) == ("phone", "S1", SAID, 4)
    assert device["identifiers"] == ["imei:356938035643809"]


def test_install_log(read: Any) -> None:
    line = b'2024-03-04 06:06:07+01 host Installer[9]: Installed "Example" (1.2)\nanother line\n'
    (found,) = read(logs.parse_install, line, "/var/log/install.log")
    assert (found["name"], found["version"], found["installed"]) == ("Example", "1.2", SAID)


def test_daily_maintenance(read: Any) -> None:
    days = "".join(
        f"\nMon Mar  {day} 03:15:02 GMT 2024\n\nDisk status:\nFilesystem      Size   Used  Avail Capacity  iused   ifree %iused  Mounted on\n"
        f"/dev/disk0s2   465Gi   99Gi  365Gi    22%  26106  956  21%   /\n/dev/disk2s1   3.7Gi  1.0Gi  2.7Gi    27%   0 0  100%   /Volumes/MY STICK\n"
        for day in (4, 5)
    )
    (volume,) = read(logs.parse_daily, days.encode(), "/var/log/daily.out")
    assert (volume["name"], volume["count"]) == ("MY STICK", 2)
    assert (volume["first"], volume["first_local"], volume["last_local"]) == (None, "2024-03-04T03:15:02", "2024-03-05T03:15:02")


def test_empty_and_foreign_files(evidence: Any) -> None:
    for parse in (
        accounts.parse,
        ds_store.parse,
        biome.parse,
        logs.parse_asl,
        logs.parse_audit,
        unified_log.parse,
        applications.parse_history,
    ):
        for data in (b"", b"plain text\n" * 20):
            with pytest.raises(Unrecognised):
                evidence({"/x": data}).parse(parse, "/x")
