"""Amcache.hve: programs and files that Windows took stock of, with the SHA-1 of their first 31,457,280 bytes.

Two forms: until Windows 10 1607 ``Root\\File\\VOLUME\\FILE`` and ``Root\\Programs`` with numbered values; later ``Root\\InventoryApplicationFile``,
``InventoryApplication`` and ``InventoryDeviceContainer`` with named ones.
Sources: J. Metz, "AMCache" (dtformats); B. Lagny (ANSSI), "Analysis of the AmCache".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from artefacts.observations import AttachedDevice, FileSeen, InstalledProgram, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp, from_filetime, from_local, from_unix
from artefacts.windows.hive import Hive, Key
from artefacts.windows.hive.reading import AMCACHE, Results, read_hive


def parse(file: EvidenceFile) -> Results:
    """``FileSeen`` (files), ``InstalledProgram`` (programs) and ``AttachedDevice`` (device containers)."""
    return read_hive(file, _read)


def _read(hive: Hive) -> Iterator[Observation]:
    for path, read in (
        (r"Root\File", _old_files),
        (r"Root\Programs", _old_programs),
        (r"Root\InventoryApplicationFile", _files),
        (r"Root\InventoryApplication", _programs),
        (r"Root\InventoryDeviceContainer", _devices),
    ):
        place = hive.key(path)
        if place:
            yield from read(place)


def _old_files(place: Key) -> Iterator[Observation]:
    for volume in place.subkeys():
        for key in volume.subkeys():
            values = {value.name: value for value in key.values()}
            path = values["15"].text if "15" in values else None
            if not path:
                continue
            size = values["6"].number if "6" in values else None
            name, company = (values[number].text if number in values else None for number in ("0", "1"))
            yield FileSeen(
                path=path,
                size=size,
                time=_filetime(values["11"].number if "11" in values else None),
                created=_filetime(values["12"].number if "12" in values else None),
                hashes=_sha1(values["101"].text if "101" in values else None),
                how="Amcache",
                volume={"identifier": volume.name},
                detail=_detail(key, name, company),
                locator=key.locator,
            )


def _old_programs(place: Key) -> Iterator[Observation]:
    for key in place.subkeys():
        name = key.text("0")
        if name:
            yield InstalledProgram(
                name=name,
                version=key.text("1"),
                publisher=key.text("2"),
                installed=from_unix(key.number("a") or 0),
                identifier=key.name,
                path=next(iter((value.strings if (value := key.value("d")) else None) or []), None),
                how=f"Amcache ({key.text('6') or 'program'})",
                locator=key.locator,
            )


def _files(place: Key) -> Iterator[Observation]:
    for key in place.subkeys():
        path = key.text("LowerCaseLongPath")
        if path:
            yield FileSeen(
                path=path,
                size=key.number("Size"),
                hashes=_sha1(key.text("FileId")),
                how="Amcache",
                detail=_detail(key, key.text("ProductName"), key.text("Publisher")),
                locator=key.locator,
            )


def _programs(place: Key) -> Iterator[Observation]:
    for key in place.subkeys():
        name = key.text("Name")
        if name:
            yield InstalledProgram(
                name=name,
                version=key.text("Version"),
                publisher=key.text("Publisher"),
                installed=_written_date(key.text("InstallDate")),
                identifier=key.name,
                path=key.text("RootDirPath"),
                how=f"Amcache ({key.text('Source') or 'program'})",
                locator=key.locator,
            )


def _devices(place: Key) -> Iterator[Observation]:
    for key in place.subkeys():
        name = key.text("FriendlyName") or key.text("ModelName")
        if name:
            yield AttachedDevice(
                kind=(key.text("PrimaryCategory") or "device").removeprefix("urn:microsoft-com:device:category:"),
                maker=key.text("Manufacturer"),
                model=key.text("ModelName"),
                name=name,
                identifier=key.name,
                how="Amcache",
                locator=key.locator,
            )


def _filetime(value: int | None) -> Time:
    return from_filetime(value) if value else NOT_RECORDED


def _sha1(text: str | None) -> dict[str, str]:
    """``0000`` and 40 digits. Of a file longer than 30 MiB it is the hash of the beginning only, and is of no use beside other hashes."""
    found = re.fullmatch(r"0000([0-9a-fA-F]{40})", text or "")
    return {"sha1": found[1].lower()} if found else {}


def _detail(key: Key, product: str | None, maker: str | None) -> str | None:
    # When Windows took stock, often hours after a program's first run, and not a use of it.
    noted = f"noted {key.written.isoformat()}" if isinstance(key.written, Timestamp) else None
    return "; ".join(part for part in (noted, product, maker) if part) or None


def _written_date(text: str | None) -> Time:
    if not text:
        return NOT_RECORDED
    try:
        moment = datetime.strptime(text, "%m/%d/%Y %H:%M:%S")
    except ValueError:
        return NoTime(f"not a date: {text[:40]}")
    return from_local(moment.isoformat(), "Amcache's InstallDate")


ARTEFACTS = (
    Artefact(
        id="windows.registry.amcache",
        title="Windows: Amcache",
        meaning="Programs and files that Windows took stock of, with their hashes, even if they are gone; presence more than use.",
        paths=AMCACHE,
        parse=parse,
        references=(
            "https://github.com/libyal/dtformats/blob/main/documentation/",
            "https://cyber.gouv.fr/en/publications/amcache-analysis",
        ),
        systems=("windows",),
        validation="specimens of Windows 7, 8.1 and 10",
    ),
)
