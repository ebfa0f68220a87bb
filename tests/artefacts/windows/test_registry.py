"""Artefacts of the registry: each fact of the real hives, hives made here for what no specimen has, and damaged copies."""

from __future__ import annotations

import lzma
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Problem, Unrecognised
from artefacts.matching import PathMatcher
from artefacts.observations import Observation
from artefacts.registry import all_artefacts
from artefacts.times import Time, Timestamp
from artefacts.windows.registry_shimcache import entries

CONFIG = "/Windows/System32/config"
NTUSER = "/Users/jo/NTUSER.DAT"
USRCLASS = "/Users/jo/AppData/Local/Microsoft/Windows/UsrClass.dat"
AMCACHE = "/Windows/AppCompat/Programs/Amcache.hve"
MATCHER = PathMatcher(item for item in all_artefacts() if item.id.startswith("windows.registry."))
DIRTY = "was in use, and its logs are not there: the newest changes may be missing"


class Results:
    """What every registry artefact made of one hive, by artefact."""

    def __init__(self, evidence: Any, path: str, data: bytes) -> None:
        file = evidence({path: data}).file(path)
        self.found: dict[str, list[Observation]] = {}
        self.problems: list[Problem] = []
        for artefact in MATCHER.match(path):
            made = list(artefact.parse(file))
            self.found[artefact.id.removeprefix("windows.registry.")] = [item for item in made if isinstance(item, Observation)]
            self.problems += [item for item in made if isinstance(item, Problem)]

    def of(self, artefact: str, /, **wanted: Any) -> list[Any]:
        """The observations of an artefact whose fields are as ``wanted``."""
        return [item for item in self.found[artefact] if all(getattr(item, key, None) == value for key, value in wanted.items())]

    def one(self, artefact: str, /, **wanted: Any) -> Any:
        [item] = self.of(artefact, **wanted)
        return item


@pytest.fixture
def specimen(evidence: Any, specimens: Path) -> Callable[[str, str], Results]:
    """``specimen("plaso/SYSTEM.xz", path)``: everything the registry artefacts find in it under that path."""

    def read(name: str, path: str) -> Results:
        data = (specimens / "registry" / name).read_bytes()
        return Results(evidence, path, lzma.decompress(data) if name.endswith(".xz") else data)

    return read


def iso(time: Time) -> str:
    assert isinstance(time, Timestamp), time
    return time.isoformat()


@pytest.mark.specimens
def test_system_of_windows_7(specimen: Any) -> None:
    hive = specimen("plaso/SYSTEM.xz", f"{CONFIG}/SYSTEM")
    assert hive.problems == []
    facts = {item.name: item for item in hive.found["system"]}
    assert facts["computer name"].value == facts["host name"].value == "WKS-WIN732BITA"
    assert facts["domain"].value == "shieldbase.local" and facts["time zone"].value == "Eastern Standard Time"
    assert facts["time zone offset when last set"].value == "UTC-04:00"
    assert iso(facts["last shutdown"].time) == "2012-04-04T01:58:40.8392499Z"
    stick = hive.one("devices", how="USBSTOR")
    assert (stick.maker, stick.model, stick.serial, stick.name) == ("HP", "v100w", "AA951D0000007252", "HP v100w USB Device")
    assert iso(stick.first) == "2011-04-01T04:52:38.686Z" and stick.identifier.endswith("Prod_v100w&Rev_1024\\AA951D0000007252&0")
    others = hive.of("devices", how="Enum\\USB")
    assert len(others) == 7 and len(hive.found["services"]) == 416
    [hub] = [item for item in others if item.identifier.endswith("VID_0E0F&PID_0002\\6&2ab01149&0&2")]
    assert (hub.maker, hub.model, hub.serial) == ("VID_0E0F", "PID_0002", None)  # a number made by Windows is no serial number
    assert hive.one("services", name="BITS").command == "%SystemRoot%\\System32\\qmgr.dll"
    assert hive.one("services", name="BITS").start == "on demand"
    shims = hive.found["shimcache"]
    assert len(shims) == 330 and shims[9].path == "\\??\\C:\\Windows\\PSEXESVC.EXE" and iso(shims[9].time) == "2012-04-04T01:46:37.9329644Z"


@pytest.mark.specimens
def test_system_of_a_second_machine(specimen: Any) -> None:
    hive = specimen("regipy/SYSTEM.xz", f"{CONFIG}/SYSTEM")
    assert hive.problems == []
    facts = [(item.name, item.value) for item in hive.found["system"]]
    assert ("domain", "shieldbase.local") in facts and ("computer name", "WKS-WIN732BITA") in facts
    assert {"10.3.58.5", "192.168.1.123"} & {value for name, value in facts if name.startswith("IP address")}
    # The published numbers are those of both sets of settings together; this is the one in use.
    assert len(hive.found["shimcache"]) == 330 and len(hive.found["devices"]) == 8 and len(hive.found["mounted"]) == 11
    assert hive.one("mounted", name="C:").identifier == "disk 5cbea03e at byte 1048576"


@pytest.mark.specimens
def test_software_of_windows_7(specimen: Any) -> None:
    hive = specimen("plaso/SOFTWARE-RunTests.xz", f"{CONFIG}/SOFTWARE")
    assert hive.problems == []
    facts = {item.name: item for item in hive.found["version"]}
    assert (facts["Windows edition"].value, facts["Windows service pack"].value) == ("Windows 7 Ultimate", "Service Pack 1")
    assert iso(facts["Windows installed"].time) == "2010-11-10T17:10:57Z"
    names = [item.name for item in hive.of("run", how="Run key")]
    assert {"McAfee Host Intrusion Prevention Tray", "VMware Tools", "VMware User Process"} <= set(names)
    assert hive.one("run", name="*WerKernelReporting").start == "once, at the next sign-in"
    network = hive.one("networks", name="shieldbase.local")
    assert (network.kind, network.gateway_mac, network.first.local) == ("wired", "00:18:f8:ea:2e:a2", "2010-11-10T11:25:36.484000")
    stick = hive.one("portable", kind="USB storage")
    assert (stick.name, stick.serial) == ("SECRETPLANS", "AA951D0000007252")
    program = hive.one("uninstall", identifier="{FDB3B167-F4FA-461D-976F-286304A57B2A}")
    assert (program.version, program.installed.local, program.how) == ("2.7.1.19610", "2011-08-28", "uninstall list (32 bit)")
    assert hive.one("profiles", name="SRL-Helpdesk").identifier == "S-1-5-21-228041085-1601810819-2769380060-1001"


@pytest.mark.specimens
def test_accounts(specimen: Any) -> None:
    hive = specimen("plaso-head/SAM", f"{CONFIG}/SAM")
    assert hive.problems == [] and len(hive.found["sam"]) == 3
    admin = hive.one("sam", name="Administrator")
    assert (admin.identifier, admin.sign_ins, admin.disabled) == ("RID 500", 3, True)
    assert iso(admin.last_sign_in) == "2014-03-18T10:20:47.3414256Z" and iso(admin.password_changed) == "2014-03-18T10:20:51.0757954Z"
    hive = specimen("velociraptor/SAM", f"{CONFIG}/SAM")
    assert hive.problems == [] and [item.identifier for item in hive.found["sam"]] == [f"RID {n}" for n in (500, 501, 503, 504, 1001)]
    assert iso(hive.one("sam", name="Administrator").created).startswith("2021-10-08T00:54:13")
    # Deleted values of this hive may be made of passwords: only keys are given.
    assert all(item.value is None for item in hive.found["hive"] if type(item).__name__ == "RegistryRemnant")


@pytest.mark.specimens
def test_user_of_windows_7(specimen: Any) -> None:
    hive = specimen("regipy/NTUSER.DAT.xz", NTUSER)
    assert hive.problems == []
    assert [item.url for item in hive.found["typed"] if type(item).__name__ == "PageVisit"] == [
        "http://199.73.28.114:53/", "http://go.microsoft.com/fwlink/?LinkId=69157",
    ]  # fmt: skip
    runs = hive.found["userassist"]
    # 31 values in two lists; the two that Explorer counts with are not programs.
    assert len(runs) == 29
    excel = hive.one("userassist", program="EXCEL.EXE")
    assert (excel.count, iso(excel.time), excel.user) == (4, "2012-04-04T15:43:14.785Z", "jo")
    searches = [item for item in hive.found["typed"] if type(item).__name__ == "SearchQuery"]
    assert len(searches) == 6 and iso(next(item.time for item in searches if item.terms == "alloy")) == "2012-04-04T15:45:18.5513397Z"
    assert sum(isinstance(item.time, Timestamp) for item in searches) == 1
    drive = hive.one("mountpoints", how="network drive")
    assert (drive.name, drive.identifier, iso(drive.last)) == ("P:", "\\\\controller\\public", "2012-04-03T22:08:18.8401324Z")


@pytest.mark.specimens
def test_a_second_user_of_windows_7(specimen: Any) -> None:
    hive = specimen("plaso/NTUSER-WIN7.DAT.xz", NTUSER)
    assert hive.problems == []
    urls = [item.url for item in hive.found["typed"] if type(item).__name__ == "PageVisit"]
    assert urls[:4] == ["http://cnn.com/", "http://twitter.com/", "http://linkedin.com/", "http://tweetdeck.com/"] and len(urls) == 13
    assert hive.one("typed", how="typed path").path == "\\\\controller"
    assert len(hive.found["userassist"]) == 88
    share = hive.one("mountpoints", name="Home Drive")
    assert (share.identifier, iso(share.last)) == ("\\\\controller\\home\\nfury", "2011-08-23T17:10:14.9609605Z")
    recent = hive.of("recent", how="RecentDocs", detail="position 1")
    assert len({item.locator.rpartition(" value=")[0] for item in hive.of("recent", how="RecentDocs")}) == 6 and "The SHIELD" in [
        item.path for item in recent
    ]
    word = [item for item in hive.of("recent", how="Office list of Word") if "File MRU" in item.locator]
    assert (
        len(word) == 5 and iso(word[3].used) == "2012-03-09T15:41:46.975Z" and word[3].path == "C:\\Users\\nfury\\Documents\\VIBRANIUM.docx"
    )
    opened = [item.path for item in hive.of("recent", how="dialog to open or save")]
    assert (
        "C:\\Users\\nfury\\Documents\\Alloy Research\\StarFury.zip" in opened
        and "\\\\controller\\WebDavShare\\Firefox Setup 3.6.12.exe" in opened
    )
    folders = [(item.detail.partition(";")[0], item.path) for item in hive.of("recent", how="last folder of a program's dialog")]
    assert len(folders) == 8 and ("program {24B5C9BB-48B5-47FF-8343-40481DBA1E2B}", "C:\\Users\\nfury\\Documents") in folders


@pytest.mark.specimens
def test_users_of_windows_xp_and_8(specimen: Any) -> None:
    hive = specimen("plaso/NTUSER.DAT", NTUSER)
    assert hive.problems == []
    assert Counter(type(item).__name__ for item in hive.found["shellbags"]) == {"FileSeen": 5}
    last = hive.found["shellbags"][-1]
    assert last.path == "C:\\Documents and Settings\\Administrator\\My Documents" and last.created.local == "2007-10-11T12:48:36"
    assert hive.one("recent", path="Very secret document.txt", detail="position 2").how == "RecentDocs"
    assert "bcwipe3.exe" in [item.program for item in hive.found["muicache"]]
    assert hive.one("userassist", program="BCWipeTM.exe").count == 1
    hive = specimen("plaso-head/NTUSER.DAT", NTUSER)
    assert hive.problems == []
    visits = [(item.url, item.time) for item in hive.found["typed"]]
    assert [url for url, _ in visits[:3]] == ["http://www.catnews.com/", "http://spotify.com/", "http://pintrest.com/"]
    assert [iso(time) for _, time in visits[:2]] == ["2016-10-05T09:47:50.9674171Z", "2016-10-05T09:38:22.8784497Z"]
    hive = specimen("plaso-head/UsrClass.dat.xz", USRCLASS)
    assert hive.problems == [] and [item.path for item in hive.found["shellbags"]][-1] == "This PC\\Pictures"
    hive = specimen("plaso/NTUSER-CCLEANER.DAT", NTUSER)
    assert hive.problems == []
    assert iso(hive.one("cleaners", name="CCleaner settings last changed").time) == "2013-07-13T14:03:26.8616882Z"
    assert hive.one("cleaners", name="CCleaner looked for updates").time.local == "2013-07-13T10:03:14"
    assert len([item for item in hive.found["cleaners"] if getattr(item, "meaning", None) == "is cleaned"]) == 10


@pytest.mark.specimens
def test_amcache(specimen: Any) -> None:
    hive = specimen("regipy/amcache.hve.xz", AMCACHE)
    assert [problem.reason for problem in hive.problems] == [DIRTY]
    files = [item for item in hive.found["amcache"] if type(item).__name__ == "FileSeen"]
    assert len(files) == 1367
    assert "056f4b9d9ec9b5dc548e1b460da889e44089d76f" in [
        item.hashes.get("sha1") for item in files if item.path.lower().endswith("tpvmmondeu.dll")
    ]
    [ida] = [item for item in files if item.path.endswith("idafree50.tmp")]
    assert (iso(ida.created), iso(ida.time)) == ("2017-08-01T12:43:35.1772758Z", "2017-08-01T12:43:35.3024523Z")
    program, again = hive.of("amcache", name="FileInsight - File analysis tool")  # in the old list and in the new one
    assert (
        again.installed.local == "2017-08-01T12:52:59"
        and iso(program.installed) == "2017-08-01T12:52:59Z"
        and program.publisher == "McAfee Inc."
    )
    hive = specimen("plaso/winreg/win10-Amcache.hve", AMCACHE)
    assert hive.problems == []
    assert Counter(type(item).__name__ for item in hive.found["amcache"]) == {"InstalledProgram": 75, "FileSeen": 30, "AttachedDevice": 4}
    zipper = hive.one("amcache", path="c:\\users\\john doe\\downloads\\7z1900-x64.exe")
    assert (zipper.size, zipper.hashes) == (1447178, {"sha1": "9fa11a63b43f83980e0b48dc9ba2cb59d545a4e8"})


@pytest.mark.specimens
@pytest.mark.parametrize("name", ["Win80_trunc", "Win81_trunc", "Win10_trunc", "Win10Creators_trunc"])
def test_newer_shimcaches(specimens: Path, name: str) -> None:
    data = (specimens / f"registry/velociraptor/AppCompatCache/{name}.bin").read_bytes()
    found = []
    with pytest.raises((ValueError, struct.error)):  # these files end inside an entry
        for item in entries(data):
            found.append(item)
    assert len(found) > 10 and all(
        isinstance(time, Timestamp) and "2005" < time.isoformat() < "2018" for path, time, _ in found if ":\\" in path
    )


def test_older_shimcaches() -> None:
    path = "C:\\a.exe"
    raw = path.encode("utf-16-le")
    when = struct.unpack("<Q", WHEN)[0]
    xp = struct.pack("<II", 0xDEADBEEF, 1).ljust(400, b"\0") + raw.ljust(528, b"\0") + struct.pack("<QQQ", when, 1, when)
    vista = struct.pack("<II", 0xBADC0FFE, 1) + struct.pack("<HHIQII", len(raw), len(raw) + 2, 32, when, 0, 0) + raw
    vista_64 = struct.pack("<II", 0xBADC0FFE, 1) + struct.pack("<HHIQQII", len(raw), len(raw) + 2, 0, 40, when, 0, 0) + raw
    head = struct.pack("<II", 0xBADC0FEE, 1).ljust(128, b"\0")
    seven_64 = head + struct.pack("<HHIQQIIQQ", len(raw), len(raw) + 2, 0, 176, when, 2, 0, 0, 0) + raw
    for data, ran in ((xp, None), (vista, None), (vista_64, None), (seven_64, True)):
        [(found, time, marked)] = entries(data)
        assert (found, iso(time), marked) == (path, WHEN_ISO, ran)
        with pytest.raises((ValueError, struct.error)):
            list(entries(data[:-30]))
    with pytest.raises(ValueError, match="unknown form"):
        list(entries(bytes(200)))


def system_time(*parts: int) -> bytes:
    return struct.pack("<8H", *parts)


WHEN = struct.pack("<Q", 132_000_000_000_000_000)
WHEN_ISO = "2019-04-17T18:40:00Z"


def made_system() -> Mapping[str, Any]:
    properties = {"Properties": {"{83da6326-97a6-4088-9453-a1923f573b29}": {f"00{n}": {"": WHEN} for n in (64, 65, 66, 67)}}}
    return {
        "Select": {"Current": 2},
        "ControlSet001": {"Control": {"ComputerName": {"ComputerName": {"ComputerName": "OLD"}}}},
        "ControlSet002": {
            "Control": {"ComputerName": {"ComputerName": {"ComputerName": "DESK"}}, "TimeZoneInformation": {"ActiveTimeBias": 0xFFFFFFC4}},
            "Enum": {
                "USBSTOR": {"Disk&Ven_Acme&Prod_Stick&Rev_1": {"0123456789&0": {"FriendlyName": "Acme Stick", **properties}}},
                "USB": {"VID_04E8&PID_6860": {"R58N12345": {"Service": "WUDFWpdMtp", "DeviceDesc": "@wpd.inf,%x%;Handset"}}},
                "SWD": {"WPDBUSENUM": {"_??_USBSTOR#x": {"FriendlyName": "LABEL", "Mfg": "Acme"}}},
            },
            "Services": {
                "bam": {"State": {"UserSettings": {"S-1-5-21-1": {"Version": 1, "\\Device\\HarddiskVolume2\\tool.exe": WHEN + bytes(16)}}}},
                "BTHPORT": {"Parameters": {"Devices": {"a0b1c2d3e4f5": {"Name": b"Phone of Jo\0", "LastSeen": WHEN, "LastConnected": bytes(8)}}}},
            },
        },
        "MountedDevices": {"\\DosDevices\\X:": b"VeraCryptVolumeX", "\\DosDevices\\E:": b"DMIO:ID:" + bytes(range(16))},
    }  # fmt: skip


def test_a_system_made_here(evidence: Any, write_hive: Any) -> None:
    hive = Results(evidence, f"{CONFIG}/SYSTEM", write_hive(made_system()))
    assert hive.problems == []
    assert hive.one("system", name="computer name").value == "DESK"  # of the set in use
    assert hive.one("system", name="time zone offset when last set").value == "UTC+01:00"
    stick = hive.one("devices", how="USBSTOR")
    assert [iso(time) for time in (stick.first, stick.last, stick.removed)] == [WHEN_ISO] * 3 and stick.serial == "0123456789"
    phone = hive.one("devices", kind="phone or camera")
    assert (phone.serial, phone.name, phone.maker) == ("R58N12345", "Handset", "VID_04E8")
    bluetooth = hive.one("devices", kind="Bluetooth device")
    assert (bluetooth.name, bluetooth.serial, iso(bluetooth.last)) == ("Phone of Jo", "a0:b1:c2:d3:e4:f5", WHEN_ISO)
    assert hive.one("devices", how="WPDBUSENUM").name == "LABEL"
    run = hive.one("bam", program="tool.exe")
    assert (run.user, iso(run.time)) == ("S-1-5-21-1", WHEN_ISO) and len(hive.found["bam"]) == 1
    assert hive.one("mounted", name="X:").kind == "encrypted volume"
    assert hive.one("mounted", name="E:").identifier == "GPT partition {03020100-0504-0706-0809-0a0b0c0d0e0f}"


def made_software() -> Mapping[str, Any]:
    return {
        "Microsoft": {
            "Windows NT": {"CurrentVersion": {
                "ProductName": "Windows 10 Pro", "InstallDate": 1_555_540_800,
                "NetworkList": {
                    "Profiles": {"{AB}": {"ProfileName": "Cafe", "NameType": 0x47, "DateCreated": system_time(2019, 4, 3, 17, 22, 40, 0, 0),
                                          "DateLastConnected": system_time(2019, 99, 3, 17, 22, 40, 0, 0)}},
                    "Signatures": {"Unmanaged": {"01": {"ProfileGuid": "{ab}", "DefaultGatewayMac": bytes.fromhex("00aabbccddee")}}},
                },
            }},
            "Windows Defender": {"Exclusions": {"Paths": {"C:\\Private": 0}}},
            "Windows": {"CurrentVersion": {"Uninstall": {"Tool": {"DisplayName": "A tool", "InstallDate": "someday"}}}},
        },
        "Policies": {"Google": {"Chrome": {"IncognitoModeAvailability": 1, "ClearBrowsingDataOnExitList": {"1": "browsing_history"}}}},
    }  # fmt: skip


def test_a_software_made_here(evidence: Any, write_hive: Any) -> None:
    hive = Results(evidence, f"{CONFIG}/SOFTWARE", write_hive(made_software()))
    assert hive.problems == []
    network = hive.one("networks", name="Cafe")
    assert (network.kind, network.gateway_mac, network.first.local) == ("wireless", "00:aa:bb:cc:dd:ee", "2019-04-17T22:40:00")
    assert network.last.reason == "not a SYSTEMTIME"
    policies = {item.setting: (item.program, item.value, item.meaning) for item in hive.found["policies"]}
    assert policies["IncognitoModeAvailability"] == ("Chrome", "1", "private windows are not allowed")
    assert policies["ClearBrowsingDataOnExitList"] == (
        "Chrome",
        "browsing_history",
        "browsing data is deleted each time the browser closes",
    )
    assert policies["exclusion: Paths"][1] == "C:\\Private"
    assert hive.one("uninstall", name="A tool").installed.reason == "not a date: someday"


def made_user() -> Mapping[str, Any]:
    explorer = {
        "RunMRU": {"a": "cmd\\1", "b": "regedit\\1", "MRUList": "ba"},
        "BitBucket": {"Volume": {"{v}": {"NukeOnDelete": 1}}},
        "UserAssist": {"{C}": {"Count": {"P:\\Gbbyf\\jvcre.rkr": struct.pack("<II", 0, 3) + bytes(52) + WHEN + bytes(4), "Bqq": b"12345"}}},
        "ComDlg32": {"OpenSavePidlMRU": {"zip": {"0": b"\xff\xff\xff", "MRUListEx": b"\0\0\0\0\xff\xff\xff\xff"}}},
    }
    return {
        "Software": {
            "Microsoft": {
                "Windows": {
                    "CurrentVersion": {"Explorer": explorer, "Internet Settings": {"ProxyEnable": 1, "ProxyServer": "127.0.0.1:9150"}}
                }
            },
            "Sysinternals": {"SDelete": {"EulaAccepted": 1}},
        }
    }


def test_a_user_made_here(evidence: Any, write_hive: Any) -> None:
    hive = Results(evidence, NTUSER, write_hive(made_user()))
    assert sorted(problem.reason for problem in hive.problems) == [
        "a count of 5 bytes, which no version writes",
        "an entry's shell items cannot be read",
    ]
    assert [(item.program, isinstance(item.time, Timestamp)) for item in hive.of("typed", how="Run dialog")] == [
        ("cmd", False),
        ("regedit", True),
    ]
    wiper = hive.one("userassist", program="wiper.exe")
    assert (wiper.path, wiper.count, iso(wiper.time)) == ("C:\\Tools\\wiper.exe", 3, WHEN_ISO)
    assert hive.one("cleaners", program="SDelete").time_meaning == "licence accepted"
    settings = {item.setting: item.value for item in hive.found["policies"]}
    assert settings == {"ProxyEnable": "1", "ProxyServer": "127.0.0.1:9150", "NukeOnDelete {v}": "1"}


def test_a_deleted_password_is_withheld(evidence: Any, write_hive: Any) -> None:
    data = bytearray(write_hive({"Gone": {"DefaultPassword": "abc", "Shell": "explorer.exe"}}))
    root = data.index(b"nk")
    data[root + 20] = 0  # no keys in the root any more
    hive = Results(evidence, f"{CONFIG}/SOFTWARE", bytes(data))
    found = {
        item.value: (item.key, item.content, item.recovered) for item in hive.found["hive"] if type(item).__name__ == "RegistryRemnant"
    }
    assert found == {None: ("Gone", None, True), "DefaultPassword": ("Gone", None, True), "Shell": ("Gone", "explorer.exe", True)}


@pytest.mark.specimens
def test_damaged_specimen(evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    whole = lzma.decompress((specimens / "registry/plaso/NTUSER-WIN7.DAT.xz").read_bytes())
    said = 0
    for copy in mutations(whole, 24):
        try:
            said += bool(Results(evidence, NTUSER, copy).problems)
        except Unrecognised:
            said += 1
    assert said >= 6  # a cut is always said; a flipped bit may lie where nothing is


def test_damaged_copies(evidence: Any, write_hive: Any, mutations: Callable[[bytes, int], list[bytes]]) -> None:
    for path, tree in ((f"{CONFIG}/SYSTEM", made_system()), (f"{CONFIG}/SOFTWARE", made_software()), (NTUSER, made_user())):
        whole = write_hive(tree)
        sound = Results(evidence, path, whole)
        lost = 0
        for copy in mutations(whole, 60):
            try:
                damaged = Results(evidence, path, copy)
            except Unrecognised:
                continue
            if sum(map(len, damaged.found.values())) < sum(map(len, sound.found.values())):
                lost += 1
                assert damaged.problems
        assert lost >= 4
