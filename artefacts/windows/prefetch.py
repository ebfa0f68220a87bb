"""Prefetch: programs that ran, how often, when last, and which files they used within ten seconds of their start.

Versions 17 (XP, 2003), 23 (Vista, 7), 26 (8, 8.1) and 30, 31 (10, 11); the last two are compressed (``MAM``, LZXPRESS Huffman). Times are
FILETIMEs (UTC); XP to 7 keep the last run, later ones the last eight.

Source: libyal, "Windows Prefetch File (PF) format" (libscca). Read by libscca.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import FileSeen, Observation, ProgramRun
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, from_filetime
from artefacts.windows.paths import user_of

_LARGEST = 32 << 20  # bytes, of the file and of what it decompresses to: real ones stay below 1 MiB
_MOST_FILES = 4096
_MOST_VOLUMES = 64
_MOST_RUNS = 8
_SYSTEM_FOLDERS = ("WINDOWS", "WINNT", "PROGRAM FILES", "PROGRAM FILES (X86)", "PROGRAMDATA", "$EXTEND")
_T = TypeVar("_T")


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``ProgramRun`` for each run recorded, the newest with the count of all; ``FileSeen`` for what it used outside the system's folders."""
    data = file.read(_LARGEST + 1)
    if data[4:8] == b"SCCA":
        stated = int.from_bytes(data[12:16], "little")
    elif data[:3] == b"MAM":
        stated = 0
        if int.from_bytes(data[4:8], "little") > _LARGEST:
            raise Unrecognised("compressed, and states a size that no Prefetch file has")
    else:
        raise Unrecognised("neither of Prefetch's signatures")
    if len(data) > _LARGEST:
        raise Unrecognised("larger than any Prefetch file")
    if stated > len(data):
        yield Problem(f"cut short: {len(data)} of {stated} bytes", Status.FAILED, f"offset={len(data)}")
    import pyscca

    prefetch = pyscca.file()
    try:
        prefetch.open_file_object(io.BytesIO(data))
    except (OSError, ValueError) as error:
        yield Problem(f"damaged: {_first_words(error)}", Status.FAILED, "offset=0")
        if stated and (name := _header_name(data)):
            yield ProgramRun(program=name, how="Prefetch (header only)", locator="offset=16")
        return
    yield from _read(prefetch)


def _read(prefetch: Any) -> Iterator[Observation | Problem]:
    name = _value(lambda: prefetch.executable_filename)
    if not name:
        yield Problem("the program's name cannot be read", Status.FAILED, "offset=16")
        name = "[name not readable]"
    volumes: dict[str, str] = {}
    for index in range(_count(lambda: prefetch.number_of_volumes, _MOST_VOLUMES)):
        volume = _value(partial(prefetch.get_volume_information, index))
        device = _value(partial(getattr, volume, "device_path"))
        if device is None:
            yield Problem("a volume cannot be read", Status.FAILED, f"volume={index}")
            continue
        volumes[device.upper()] = f"{_value(partial(getattr, volume, 'serial_number')) or 0:08X}"
    paths: list[str] = []
    for index in range(_count(lambda: prefetch.number_of_filenames, _MOST_FILES)):
        path = _value(partial(prefetch.get_filename, index))
        if path is None:
            yield Problem("the path of a file that it used cannot be read", Status.FAILED, f"file={index}")
        else:
            paths.append(path)
    own = next((path for path in paths if path.rsplit("\\", 1)[-1].upper().startswith(name.upper())), None)
    shared: dict[str, Any] = {
        "program": name, "path": own, "user": user_of(own) if own else None, "how": "Prefetch", "files": len(paths),
        "volumes": tuple(dict.fromkeys(volumes.values())),
    }  # fmt: skip
    count = _value(lambda: prefetch.run_count)
    runs = [value for index in range(_MOST_RUNS) if (value := _value(partial(prefetch.get_last_run_time_as_integer, index)))]
    yield ProgramRun(**shared, count=count, time=from_filetime(runs[0]) if runs else NOT_RECORDED, locator="run=0")
    for index, value in enumerate(runs[1:], 1):
        yield ProgramRun(**shared, time=from_filetime(value), locator=f"run={index}")
    for index, path in enumerate(paths):
        device, inside = _split(path, volumes)
        if path != own and inside.split("\\", 1)[0].upper() not in _SYSTEM_FOLDERS:
            yield FileSeen(
                path=path,
                how=f"used by {name} within ten seconds of a start (Prefetch)",
                user=user_of(path),
                volume={"serial": volumes[device]} if device in volumes else {},
                locator=f"file={index}",
            )


def _split(path: str, volumes: dict[str, str]) -> tuple[str, str]:
    """The device a path lies on ("" if it is on none of them) and the path inside it."""
    device = max((device for device in volumes if path.upper().startswith(device + "\\")), key=len, default="")
    return device, path[len(device) :].lstrip("\\")


def _header_name(data: bytes) -> str:
    return data[16:76].decode("utf-16-le", "replace").split("\0", 1)[0]


def _value(get: Callable[[], _T]) -> _T | None:
    """What libscca gives, or None where the record is damaged or not there."""
    try:
        return get()
    except (OSError, ValueError, OverflowError, AttributeError):
        return None


def _count(get: Callable[[], int], most: int) -> int:
    return min(_value(get) or 0, most)


def _first_words(error: Exception) -> str:
    return str(error).split(". ")[1][:200] if ". " in str(error) else str(error)[:200]


ARTEFACTS = (
    Artefact(
        id="windows.prefetch",
        title="Prefetch",
        meaning="Programs that ran, how often and when, and files that they used at their start.",
        paths=("Windows/Prefetch/*.pf", "WINNT/Prefetch/*.pf"),
        parse=parse,
        references=("https://github.com/libyal/libscca/blob/main/documentation/Windows%20Prefetch%20File%20(PF)%20format.asciidoc",),
        systems=("windows",),
        validation="34 specimens, XP to Windows 10",
    ),
)
