"""Android phones: folders of backups that their makers' programs keep, and phones that were debugged from this computer.

The folders say the phone's model, and when by the clock of the computer: Samsung Smart Switch ``backup/MODEL/MODEL_20240131120000``, Samsung Kies
``Backup/MODEL/MODEL_20130131120000``, HUAWEI HiSuite ``backup/MODEL_2020-01-31 12.00.00``. ``adb_known_hosts.pb`` names phones that were debugged
over Wi-Fi (``adb-SERIAL-xxxxxx``); ``adbkey.pub`` ends with who made it, where. Source: Android Open Source Project, ``adb`` (adb_known_hosts.proto,
adb_wifi.cpp); names of folders as the programs make them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import AttachedDevice, Observation, PhoneBackup, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_local

_LARGEST = 1 << 20  # bytes
_MOST = 1000
_SMART_SWITCH = re.compile(r"/(SmartSwitch|Kies)/backup/([^/]+)/([^/]+)/", re.IGNORECASE)
_HISUITE = re.compile(r"/HiSuite/(?:backup|userdata/[^/]+)/([^/]+)/", re.IGNORECASE)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$")
_DOTTED = re.compile(r"[_ ](\d{4})-(\d\d)-(\d\d)[ _](\d\d)[.-](\d\d)[.-](\d\d)$")
_KNOWN_HOST = re.compile(rb"adb-([A-Za-z0-9.:_]{4,64})-[A-Za-z0-9]{6}")
_OWNER = re.compile(r"[\x21-\x7e]{1,200}@[\x21-\x7e]{1,200}")


def parse_backup(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """One ``PhoneBackup`` for the folder that ``file`` lies in: what the folder is called says all. The file is not read."""
    if found := _SMART_SWITCH.search(file.path):
        program = "Samsung Smart Switch" if found[1].lower() == "smartswitch" else "Samsung Kies"
        yield PhoneBackup(
            maker="Samsung", model=found[2], last=_local(_COMPACT, found[3]), user=file.user, how=f"{program} backup", locator=found[3]
        )
    elif found := _HISUITE.search(file.path):
        model = _DOTTED.sub("", found[1])
        yield PhoneBackup(
            maker="HUAWEI", model=model, last=_local(_DOTTED, found[1]), user=file.user, how="HUAWEI HiSuite backup", locator=found[1]
        )
    else:
        raise Unrecognised("not in a folder of phone backups")


def parse_known_hosts(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``AttachedDevice`` for each phone that this computer debugged over Wi-Fi."""
    data = file.read(_LARGEST)
    serials = list(dict.fromkeys(found[1].decode("ascii") for found in _KNOWN_HOST.finditer(data)))
    for serial in serials[:_MOST]:
        yield AttachedDevice(
            kind="phone", serial=serial, identifier=f"adb-{serial}", user=file.user, how="Android debugging over Wi-Fi", locator=serial
        )
    if len(serials) > _MOST:
        yield Problem(f"more than {_MOST} phones: the rest is not kept")


def parse_key(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """One ``SystemFact``: that Android phones were debugged from here, and the account and computer that began it. The key is not kept."""
    words = file.read(64 << 10).decode("ascii", "replace").split()
    if not words or len(words[0]) < 300:
        raise Unrecognised("not a public key of adb")
    owner = words[1] if len(words) > 1 and _OWNER.fullmatch(words[1]) else "not recorded"
    yield SystemFact(name="Android debugging key made by", value=owner)


def _local(form: re.Pattern[str], name: str) -> Time:
    found = form.search(name)
    if not found:
        return NOT_RECORDED
    try:
        moment = datetime(*(int(part) for part in found.groups()))  # type: ignore[arg-type]
    except ValueError:
        return NOT_RECORDED
    return from_local(moment.isoformat(), "the name of a folder")


_REFERENCES = ("https://cs.android.com/android/platform/superproject/+/main:packages/modules/adb/",)
ARTEFACTS = (
    Artefact(
        id="devices.android_backups",
        title="Backups of Android phones",
        meaning="Android phones that were backed up here with their makers' programs.",
        paths=(
            "**/SmartSwitch/backup/*/*/ReqItemsInfo.json", "**/SmartSwitch/backup/*/*/smartSwitchBackup.json", "**/SmartSwitch/backup/*/*/backupHistoryInfo.xml",
            "**/Kies/Backup/*/*/*.sbu", "**/HiSuite/backup/*/info.xml", "**/HiSuite/userdata/*/*/info.xml",
        ),
        parse=parse_backup,
        references=("https://www.samsung.com/uk/support/mobile-devices/what-is-smart-switch/",),
        systems=("windows", "macos"),
    ),
    Artefact(
        id="devices.adb_known_hosts",
        title="Android phones debugged over Wi-Fi",
        meaning="Android phones that were connected to this computer's developer tools, by serial number.",
        paths=("**/.android/adb_known_hosts.pb",),
        parse=parse_known_hosts,
        references=_REFERENCES,
    ),
    Artefact(
        id="devices.adb_key",
        title="Android debugging key",
        meaning="That Android phones were connected to this computer's developer tools, and by which account.",
        paths=("**/.android/adbkey.pub",),
        parse=parse_key,
        references=_REFERENCES,
    ),
)  # fmt: skip
