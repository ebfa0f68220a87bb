"""Other devices that share an account with a Chromium browser: the LevelDB ``Sync Data``.

Sources: Chromium's components/sync_device_info/device_info_sync_bridge.cc (keys ``device_info-dt-`` and the device's identifier) and
components/sync/protocol/device_info_specifics.proto: 1 identifier, 2 name, 3 kind, 8 last updated (Unix milliseconds). What else is synchronised is not read here.
"""

from __future__ import annotations

from artefacts import protobuf
from artefacts.browsers.profiles import CHROMIUM, owner
from artefacts.browsers.reading import Results
from artefacts.coverage import Problem, Status
from artefacts.leveldb import records
from artefacts.leveldb.reading import LARGEST
from artefacts.observations import AttachedDevice
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, from_unix

HOW = "shares a browser account (never seen to be attached)"
_KEY = b"device_info-dt-"
_KINDS = {
    1: "computer (Windows)", 2: "computer (Mac)", 3: "computer (Linux)", 4: "computer (ChromeOS)", 5: "device", 6: "phone", 7: "tablet",
}  # fmt: skip


def parse(file: EvidenceFile) -> Results:
    """``AttachedDevice`` for each device that shares the account; one that has since left it is marked recovered. ``last``: its last sign."""
    owned = owner(file, CHROMIUM)
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        yield Problem(f"larger than {LARGEST} bytes: the rest was not read", Status.FAILED, f"offset={LARGEST}")
    newest: dict[bytes, tuple[int, bytes, int]] = {}
    left: set[bytes] = set()
    for item in records(data[:LARGEST]) if data else ():
        if isinstance(item, Problem):
            yield item
        elif item.key.startswith(_KEY):
            if item.value is None:
                left.add(item.key)
            elif item.sequence >= newest.get(item.key, (0,))[0]:
                left.discard(item.key)
                newest[item.key] = (item.sequence, item.value, item.offset)
    for key, (_, value, offset) in sorted(newest.items()):
        try:
            message = protobuf.fields(value)
        except ValueError as error:
            yield Problem(f"the record of a device is damaged: {error}", Status.FAILED, f"offset={offset}")
            continue
        updated = protobuf.integer(message, 8)
        yield AttachedDevice(
            kind=_KINDS.get(protobuf.integer(message, 3) or 0, "device"),
            name=protobuf.text(message, 2),
            last=from_unix(updated, unit_ns=1_000_000) if updated else NOT_RECORDED,
            identifier=key.removeprefix(_KEY).decode("utf-8", "backslashreplace"),
            user=owned.user,
            how=HOW,
            recovered=key in left,
            locator=f"offset={offset}",
        )


ARTEFACTS = (
    Artefact(
        id="browsers.chromium.sync_devices",
        title="Chromium browsers: devices that share the account",
        meaning="Names of other computers, phones and tablets that are or were signed in to the same browser account, and when they last were.",
        paths=("**/Sync Data/LevelDB/*.log", "**/Sync Data/LevelDB/*.ldb"),
        parse=parse,
        references=("https://chromium.googlesource.com/chromium/src/+/main/components/sync/protocol/device_info_specifics.proto",),
    ),
)
