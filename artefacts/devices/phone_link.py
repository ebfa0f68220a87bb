"""Phones joined to Windows by Phone Link (formerly Your Phone): one folder for each phone, named by a GUID, with databases below it.

Which tables ``deviceData.db`` has differs between versions; of its rows only columns that name the device are taken. Messages, contacts, calls and
pictures lie in other databases, which are not read. Source: observations of Windows 10 and 11 published by DFIR practitioners; no specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from artefacts.coverage import Encrypted, Problem, Status, Unrecognised
from artefacts.observations import AttachedDevice, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.sqlite import Database

_FOLDER = re.compile(r"/Indexed/([0-9a-f-]{8,40})/", re.IGNORECASE)
_NAMES = ("device_name", "display_name", "friendly_name", "devicename", "displayname", "name")
_MODELS = ("model", "model_name", "device_model", "modelname")
_MAKERS = ("manufacturer", "make", "device_manufacturer", "oem_name")
_MOST = 100


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``AttachedDevice`` for each phone that ``deviceData.db`` names, or one for the folder where it names none."""
    found = _FOLDER.search(file.path)
    if not found:
        raise Unrecognised("not in a folder of Phone Link")
    named: dict[tuple[str | None, str | None, str | None], None] = {}
    try:
        with Database(file) as database:
            yield from database.problems
            for item in _devices(database):
                if isinstance(item, Problem):
                    yield item
                elif len(named) < _MOST:
                    named[item] = None
    except (Unrecognised, Encrypted) as error:
        yield Problem(f"which phone it was cannot be read: {error}", Status.FAILED)
    # The folder's name stands for one phone: of several it says nothing.
    identifiers = (f"udn:{found[1]}",) if len(named) <= 1 else ()
    for name, maker, model in named or {(None, None, None): None}:
        yield AttachedDevice(
            kind="phone",
            name=name,
            maker=maker,
            model=model,
            identifier=found[1],
            identifiers=identifiers,
            user=file.user,
            how="Phone Link",
            locator=found[1],
        )


def _devices(database: Database) -> Iterator[tuple[str | None, str | None, str | None] | Problem]:
    for table in sorted(database.tables):
        if "device" not in table.lower() and "phone" not in table.lower():
            continue
        columns = [column for column in (*_NAMES, *_MODELS, *_MAKERS) if database.has(table, column)]
        for row in database.rows(table, (), columns) if columns else ():
            if isinstance(row, Problem):
                yield row
                continue
            texts = {column: row.text(column) for column in columns}
            name, maker, model = (
                next((texts[column] for column in group if texts.get(column)), None) for group in (_NAMES, _MAKERS, _MODELS)
            )
            if name or model:
                yield name, maker, model


ARTEFACTS = (
    Artefact(
        id="devices.phone_link",
        title="Phone Link",
        meaning="Phones that were joined to this computer so that it could show their messages and pictures.",
        paths=("**/Microsoft.YourPhone_8wekyb3d8bbwe/LocalCache/Indexed/*/System/Database/deviceData.db",),
        parse=parse,
        references=("https://support.microsoft.com/phone-link",),
        systems=("windows",),
    ),
)
