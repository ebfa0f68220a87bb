"""Names: UTF-16 decoded in bulk, and which of a record's names are names of their own.

A name may hold anything but is then made fit for a path: a solidus (possible in the POSIX namespace of a crafted volume) becomes
U+2215, so that it cannot pass for a separator. Lone surrogates stay as they are (``surrogatepass``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from triage.evidence.ntfs.memory import Ints, Memory

WIN32, DOS = 1, 2  # namespaces; 0 is POSIX, 3 a name that is both
_WEIGHTS = np.arange(1, 257, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
_SOLIDUS, _DIVISION_SLASH = 0x2F, 0x2215


def decode(memory: Memory, place: Ints, units: Ints) -> tuple[list[str], NDArray[np.uint64]]:
    """The strings of ``units`` UTF-16 code units each (at most 255) that start at the byte offsets ``place``, and a hash of each."""
    total = int(units.sum())
    ends = np.cumsum(units)
    index = np.repeat(place - 2 * (ends - units), units) + 2 * np.arange(total, dtype=np.int64)
    code = memory.units(index)
    code[code == _SOLIDUS] = _DIVISION_SLASH
    hashes = _hashes(code, ends, units)
    surrogates = (code & 0xF800) == 0xD800
    stops = ends.tolist()
    special: dict[int, str] = {}
    if surrogates.any():
        for row in np.unique(np.searchsorted(ends, np.flatnonzero(surrogates), side="right")).tolist():
            special[row] = code[stops[row] - int(units[row]) : stops[row]].tobytes().decode("utf-16-le", "surrogatepass")
        code[surrogates] = 0x3F
    # One decoding for all: without surrogates a code unit is a character, so the offsets hold in the text.
    text = code.tobytes().decode("utf-16-le")
    names = [text[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]
    for row, name in special.items():
        names[row] = name
    return names, hashes


def _hashes(code: NDArray[np.unsignedinteger], ends: Ints, units: Ints) -> NDArray[np.uint64]:
    """A number for each string: its code units weighted by their place. The sum of all is taken, then differences at the ends."""
    place = np.arange(len(code), dtype=np.int64) - np.repeat(ends - units, units)
    total: NDArray[np.uint64] = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(code.astype(np.uint64) * _WEIGHTS[place])])
    hashes: NDArray[np.uint64] = total[ends] - total[ends - units]
    return hashes


def short_only(record: NDArray[np.unsignedinteger], parent: NDArray[np.unsignedinteger], space: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """For each $FILE_NAME whether it is but the 8.3 form of another name in the same record and directory.

    A DOS name without such a partner (its partner was damaged or never written) is the only name there is and stays.
    """
    dos = space == DOS
    result = np.zeros(len(record), dtype=bool)
    if dos.any():
        # Record numbers of a readable volume fit 32 bits; the parents of a hostile one that do not are no parents anyway.
        code = record.astype(np.uint64) << np.uint64(32) | np.minimum(parent, 0xFFFFFFFF).astype(np.uint64)
        result[dos] = np.isin(code[dos], code[space == WIN32])
    return result
