"""What every artefact of the registry shares: which files the hives are, the frame of a parser, and the small encodings."""

from __future__ import annotations

import codecs
import uuid
from collections.abc import Callable, Iterator

from artefacts.coverage import Problem
from artefacts.observations import Observation
from artefacts.registry import EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_filetime
from artefacts.windows.hive.hive import Hive, Key, open_hive

Results = Iterator[Observation | Problem]

REFERENCE = "https://github.com/msuhanov/regf"


def _machine(name: str) -> tuple[str, ...]:
    # Beside the hive: Windows' own copies, and those of Windows XP's restore points.
    return (f"**/config/{name}", f"**/config/RegBack/{name}", f"**/snapshot/_REGISTRY_MACHINE_{name}")


SYSTEM = _machine("SYSTEM")
SOFTWARE = _machine("SOFTWARE")
SAM = _machine("SAM")
NTUSER = ("**/NTUSER.DAT", "**/ntuser.man", "**/snapshot/_REGISTRY_USER_NTUSER_*")
USRCLASS = ("**/UsrClass.dat", "**/snapshot/_REGISTRY_USER_USRCLASS_*")
AMCACHE = ("**/Amcache.hve",)


def read_hive(file: EvidenceFile, read: Callable[[Hive], Iterator[Observation]]) -> Results:
    """What ``read`` finds in the hive ``file``, then what was damaged on its way.

    What is to be said of the hive as a whole (dirty, cut short, logs refused) is said once, by the artefact ``windows.registry.hive``.
    """
    hive = open_hive(file)
    yield from read(hive)
    yield from hive.problems


def filetime_at(data: bytes | None, offset: int = 0) -> Time:
    """The FILETIME at ``offset`` of ``data``; not recorded where that is too short."""
    if data is None or len(data) < offset + 8:
        return NOT_RECORDED
    return from_filetime(int.from_bytes(data[offset : offset + 8], "little"))


def guid(data: bytes) -> str:
    """16 bytes as ``{xxxxxxxx-…}`` in lower case."""
    return f"{{{uuid.UUID(bytes_le=data)}}}"


def rot13(text: str) -> str:
    """Letters moved by 13."""
    return codecs.decode(text, "rot13")


def mru_order(key: Key) -> list[str]:
    """The names of a key's values, the one used last first: from ``MRUListEx`` (numbers) or ``MRUList`` (letters)."""
    numbers = key.binary("MRUListEx")
    if numbers is not None:
        order = [int.from_bytes(numbers[at : at + 4], "little") for at in range(0, len(numbers) // 4 * 4, 4)]
        end = order.index(0xFFFFFFFF) if 0xFFFFFFFF in order else len(order)
        return list(dict.fromkeys(str(number) for number in order[:end]))
    return list(dict.fromkeys(key.text("MRUList") or ""))
