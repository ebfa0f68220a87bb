"""Backups of iPhones and iPads that iTunes, Finder or Apple Devices made: which phone, when last, encrypted or not. Nothing of their content is read.

A backup is a folder named after the device's UDID. ``Info.plist`` describes the device, ``Manifest.plist`` says whether the backup is encrypted,
``Status.plist`` when it was made. Source: Apple, "Locate and manage backups"; names of the keys as in files of iTunes 12 and Finder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from artefacts import plist
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.devices import apple_models
from artefacts.observations import Observation, PhoneBackup
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp

_UDID = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{8}-[0-9a-f]{16})(?=[-/]|$)", re.IGNORECASE)


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """One ``PhoneBackup`` for the folder that ``Info.plist`` lies in, or ``Manifest.plist`` where that is the only one."""
    if file.name.lower() == "manifest.plist" and file.sibling("Info.plist") is not None:
        return  # told with Info.plist
    problems: list[Problem] = []
    own = _tree(file, problems)
    if own is None:
        raise Unrecognised(problems[0].reason)
    named = file.name.lower() == "info.plist"
    info = own if named else {}
    manifest = _beside(file, "Manifest.plist", problems) if named else own
    status = _beside(file, "Status.plist", problems)
    lockdown = manifest.get("Lockdown")
    lockdown = lockdown if isinstance(lockdown, Mapping) else {}
    folder = _UDID.search(file.path.rsplit("/", 2)[-2])
    udid = _text(info.get("Unique Identifier")) or _text(info.get("Target Identifier")) or _text(lockdown.get("UniqueDeviceID"))
    product = _text(info.get("Product Type")) or _text(lockdown.get("ProductType"))
    if not (udid or product or folder):
        raise Unrecognised("not the description of a backup")
    encrypted = manifest.get("IsEncrypted")
    system = _text(info.get("Product Version")) or _text(lockdown.get("ProductVersion"))
    yield PhoneBackup(
        name=_text(info.get("Device Name")) or _text(info.get("Display Name")) or _text(lockdown.get("DeviceName")),
        maker="Apple",
        model=_text(info.get("Product Name")) or apple_models.sold_as(product),
        product=product,
        system=f"iOS {system}" if system else None,
        serial=_text(info.get("Serial Number")) or _text(lockdown.get("SerialNumber")),
        imei=_text(info.get("IMEI")),
        meid=_text(info.get("MEID")),
        phone_number=_text(info.get("Phone Number")),
        udid=udid or (folder[0] if folder else None),
        last=_date(info.get("Last Backup Date"), status.get("Date"), manifest.get("Date")),
        encrypted=encrypted if isinstance(encrypted, bool) else None,
        user=file.user,
        how="Apple backup",
        locator=file.name,
        identifiers=(f"imei:{second}",) if (second := _text(info.get("IMEI 2"))) else (),
    )
    yield from problems


def _tree(file: EvidenceFile, problems: list[Problem]) -> Mapping[str, Any] | None:
    try:
        tree = plist.load(file.read(plist.LARGEST + 1))
    except ValueError as error:
        problems.append(Problem(f"{file.name}: {error}", Status.FAILED))
        return None
    if isinstance(tree, Mapping):
        return tree
    problems.append(Problem(f"{file.name}: not a list of named values", Status.FAILED))
    return None


def _beside(file: EvidenceFile, name: str, problems: list[Problem]) -> Mapping[str, Any]:
    other = file.sibling(name)
    return {} if other is None else _tree(other, problems) or {}


def _text(value: Any) -> str | None:
    return value.strip()[:500] or None if isinstance(value, str) else None


def _date(*values: Any) -> Time:
    """The newest of the dates there are: the three files are not always written together."""
    known = [value for value in values if isinstance(value, datetime)]
    try:
        return max((Timestamp.from_datetime(value.replace(tzinfo=UTC)) for value in known), default=NOT_RECORDED)
    except ValueError as error:
        return NoTime(str(error))


ARTEFACTS = (
    Artefact(
        id="devices.apple_backups",
        title="Backups of iPhones and iPads",
        meaning="Which iPhones and iPads were backed up here, with serial number, IMEI and phone number, when last, and whether encrypted.",
        paths=("**/MobileSync/Backup/*/Info.plist", "**/MobileSync/Backup/*/Manifest.plist"),
        parse=parse,
        references=("https://support.apple.com/108809",),
        systems=("windows", "macos"),
    ),
)
