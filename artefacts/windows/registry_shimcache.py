"""ShimCache (application compatibility cache): programs that Windows met, with the time that the file was last changed, not that it ran.

Sources: J. Metz, "Application Compatibility Cache" (winreg-kb); Mandiant, "Leveraging the Application Compatibility Cache". Checked against the
specimens of Windows 7 (32 bit), 8.0, 8.1 and 10; the other forms against lists made in the tests.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from artefacts.observations import FileSeen, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import Time, from_filetime
from artefacts.windows.hive import Hive
from artefacts.windows.hive.hive import utf16
from artefacts.windows.hive.reading import SYSTEM, Results, read_hive

_PLACES = (r"Control\Session Manager\AppCompatCache", r"Control\Session Manager\AppCompatibility")
_XP, _VISTA, _SEVEN = 0xDEADBEEF, 0xBADC0FFE, 0xBADC0FEE
_EIGHT = 0x80  # where the entries of Windows 8 begin
_ENTRY_SIGNATURES = (b"00ts", b"10ts")
_MOST = 4096  # entries; Windows keeps at most 1024
_RAN = 2


def parse(file: EvidenceFile) -> Results:
    """``FileSeen`` for each entry, the newest first, from a SYSTEM hive; ``detail`` gives its position and, where Windows noted it, that it ran."""
    return read_hive(file, _read)


def _read(hive: Hive) -> Iterator[Observation]:
    settings = hive.control_set()
    for path in _PLACES if settings else ():
        key = settings.find(path) if settings else None
        data = key.binary("AppCompatCache") if key else None
        if key is None or not data:
            continue
        position = 0
        try:
            for position, (name, time, ran) in enumerate(entries(data), start=1):
                yield FileSeen(
                    path=name,
                    time=time,
                    how="ShimCache",
                    detail=f"position {position}" + ("; marked as run" if ran else "" if ran is None else "; not marked as run"),
                    locator=f"{key.locator} value=AppCompatCache entry={position}",
                )
        except (struct.error, ValueError) as error:
            hive.report(f"the list is damaged after entry {position}: {error}", f"{key.locator} value=AppCompatCache")


def entries(data: bytes) -> Iterator[tuple[str, Time, bool | None]]:
    """(path, time the file was last changed, whether marked as run or None where this version does not say) in the order of ``data``.

    Raises ``ValueError`` or ``struct.error`` at the first entry that cannot be read.
    """
    (signature,) = struct.unpack_from("<I", data)
    if signature == _XP:
        yield from _xp(data)
    elif signature in (_VISTA, _SEVEN):
        yield from _indexed(data, signature == _SEVEN)
    elif signature in (0x30, 0x34):
        yield from _chained(data, signature)
    elif data[_EIGHT : _EIGHT + 4] in _ENTRY_SIGNATURES:
        yield from _chained(data, _EIGHT)
    else:
        raise ValueError(f"an unknown form ({signature:08x})")


def _xp(data: bytes) -> Iterator[tuple[str, Time, bool | None]]:
    (count,) = struct.unpack_from("<I", data, 4)
    for number in range(min(count, _MOST)):
        at = 400 + number * 552
        if at + 552 > len(data):
            raise ValueError(f"{count} entries by its head, cut short")
        yield utf16(data[at : at + 528]), from_filetime(int.from_bytes(data[at + 528 : at + 536], "little")), None


def _indexed(data: bytes, seven: bool) -> Iterator[tuple[str, Time, bool | None]]:
    (count,) = struct.unpack_from("<I", data, 4)
    first = 128 if seven else 8
    # On 64 bit, four bytes of padding stand between a path's length and its offset.
    wide = count > 0 and struct.unpack_from("<I", data, first + 4)[0] == 0
    step = (48 if seven else 32) if wide else (32 if seven else 24)
    for number in range(min(count, _MOST)):
        at = first + number * step
        (length,) = struct.unpack_from("<H", data, at)
        offset, time = struct.unpack_from("<QQ", data, at + 8) if wide else struct.unpack_from("<IQ", data, at + 4)
        (flags,) = struct.unpack_from("<I", data, at + (24 if wide else 16))
        if offset + length > len(data):
            raise ValueError("a path lies outside the list")
        # Windows 2003 has the file's size where later versions have flags: not told apart, so only 7 is believed.
        yield data[offset : offset + length].decode("utf-16-le", "replace"), from_filetime(time), bool(flags & _RAN) if seven else None


def _chained(data: bytes, first: int) -> Iterator[tuple[str, Time, bool | None]]:
    at = first
    for _ in range(_MOST):
        if at + 12 > len(data):
            return
        signature = data[at : at + 4]
        if signature not in _ENTRY_SIGNATURES:
            if any(data[at : at + 12]):
                raise ValueError("an entry without its signature")
            return
        size, length = struct.unpack_from("<IH", data, at + 8)
        inside, end = at + 14, at + 12 + size
        if end > len(data) or inside + length > end:
            raise ValueError("an entry is cut short")
        path = data[inside : inside + length].decode("utf-16-le", "replace")
        inside += length
        ran: bool | None = None
        if first == _EIGHT:
            inside += 2 + struct.unpack_from("<H", data, inside)[0]  # a store app's package
            ran = bool(struct.unpack_from("<I", data, inside)[0] & _RAN)
            inside += 8
        (time,) = struct.unpack_from("<Q", data, inside)
        yield path, from_filetime(time), ran
        at = end


ARTEFACTS = (
    Artefact(
        id="windows.registry.shimcache",
        title="Windows registry: ShimCache",
        meaning="Programs that were on this machine or on a drive attached to it, even if gone; not by itself proof that they ran.",
        paths=SYSTEM,
        parse=parse,
        references=("https://winreg-kb.readthedocs.io/en/latest/sources/system-keys/Application-compatibility-cache.html",),
        systems=("windows",),
        validation="specimens of Windows 7, 8.0, 8.1 and 10",
    ),
)
