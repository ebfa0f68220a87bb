"""The compressed RTF body of Outlook messages (MS-OXRTFCP)."""

from __future__ import annotations

import struct

_COMPRESSED, _PLAIN = b"LZFu", b"MELA"
_WINDOW = 4096
_MAX = 64 << 20
_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArialTimes New RomanCourier"
    rb"{\colortbl\red0\green0\blue0" b"\r\n" rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)  # fmt: skip


def decompress(data: bytes) -> bytes | None:
    """The RTF; None where it is not of this format. What was cut off is simply not there."""
    if len(data) < 16:
        return None
    size = min(struct.unpack_from("<I", data, 4)[0], _MAX)
    if data[8:12] == _PLAIN:
        return data[16 : 16 + size]
    if data[8:12] != _COMPRESSED:
        return None
    window = bytearray(_DICTIONARY.ljust(_WINDOW, b"\0"))
    write, out, at = len(_DICTIONARY), bytearray(), 16
    while at < len(data) and len(out) < size:
        control, at = data[at], at + 1
        for bit in range(8):
            if at >= len(data) or len(out) >= size:
                break
            if not control >> bit & 1:
                copied = data[at : at + 1]
                at += 1
            else:
                reference = int.from_bytes(data[at : at + 2], "big")
                at += 2
                place, length = reference >> 4, (reference & 0xF) + 2
                if place == write:
                    return bytes(out)
                copied = b""
                for step in range(length):  # what is copied may reach into what it is copied to
                    window[(write + step) % _WINDOW] = window[(place + step) % _WINDOW]
                    copied += window[(write + step) % _WINDOW].to_bytes(1, "big")
            for byte in copied:
                window[write] = byte
                write = (write + 1) % _WINDOW
            out += copied
    return bytes(out)
