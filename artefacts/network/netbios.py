"""Names of Windows computers and file servers: NetBIOS name service and datagrams (ports 137, 138).

Sources: RFC 1001 section 14 (names), RFC 1002 sections 4.2 (name service; 4.2.18 node status) and 4.4 (datagrams); suffixes: Microsoft, "NetBIOS suffixes".
"""

from __future__ import annotations

import struct

from artefacts.network.said import SHORT, Said, plain

_STATUS = 0x21
_GROUP = 0x8000
_SUFFIXES = {0x00: "workstation", 0x03: "messages", 0x20: "file sharing", 0x1B: "domain master", 0x1D: "master browser"}
_REGISTRATION, _REFRESH = (5, 6), (8, 9)


def question(number: int) -> bytes:
    """The 50 bytes of a node status request (RFC 1002, 4.2.17) with transaction ``number``."""
    return (
        struct.pack(">HHHHHH", number & 0xFFFF, 0, 1, 0, 0, 0)
        + b"\x20"
        + encoded(b"*".ljust(16, b"\0"))
        + b"\0"
        + struct.pack(">HH", _STATUS, 1)
    )


def encoded(name: bytes) -> bytes:
    """Sixteen bytes of a name in the first-level encoding: two letters from A to P for each."""
    return bytes(half + 0x41 for byte in name for half in (byte >> 4, byte & 15))


def name_service(data: bytes) -> Said | None:
    """What a packet of port 137 says of its sender: the names of a node status reply, or the name that it registers. None for other packets."""
    if len(data) < 12:
        return None
    flags, questions, answers = struct.unpack_from(">HHH", data, 2)
    if flags & 0x8000:
        return _status(data) if answers else None
    if questions == 1 and (flags >> 11 & 15) in _REGISTRATION + _REFRESH:
        name = _name_at(data, 12)
        if name and name[1] in (0x00, 0x20) and len(data) >= 68 and not int.from_bytes(data[62:64], "big") & _GROUP:
            return Said("NetBIOS", names=((SHORT, name[0]),), services=("NetBIOS",))
    return Said("NetBIOS", services=("NetBIOS",)) if questions else None


def datagram(data: bytes) -> Said | None:
    """What a datagram of port 138 (a computer announcing itself to its workgroup) says: its name. None for other packets."""
    if len(data) < 82 or data[0] not in (0x10, 0x11, 0x12):
        return None
    name = _name_at(data, 14)
    return Said("NetBIOS", names=((SHORT, name[0]),), services=("NetBIOS",)) if name else None


def _status(data: bytes) -> Said | None:
    at = 12
    if data[at : at + 1] != b"\x20" or len(data) < 57 or struct.unpack_from(">H", data, 46)[0] != _STATUS:
        return None
    count, at = data[56], 57
    names, services, macs = [], set(), data[57 + 18 * count : 63 + 18 * count]
    for number in range(min(count, 40)):
        entry = data[at + 18 * number : at + 18 * number + 18]
        if len(entry) < 18:
            break
        name, suffix, flags = plain(_text(entry[:15])), entry[15], int.from_bytes(entry[16:18], "big")
        if name and not flags & _GROUP and suffix in (0x00, 0x20) and name not in names:
            names.append(name)
        if suffix in _SUFFIXES and not flags & _GROUP:
            services.add(f"NetBIOS {_SUFFIXES[suffix]}")
    # A Samba server gives zeros here, for it does not know its address.
    mac = macs.hex(":") if len(macs) == 6 and any(macs) else None
    return Said("NetBIOS", names=tuple((SHORT, name) for name in names[:3]), services=tuple(sorted(services)), mac=mac)


def _name_at(data: bytes, at: int) -> tuple[str, int] | None:
    """The name and its suffix where one stands in the first-level encoding at a byte."""
    letters = data[at + 1 : at + 33]
    if data[at : at + 1] != b"\x20" or len(letters) < 32 or any(not 0x41 <= letter <= 0x50 for letter in letters):
        return None
    raw = bytes((letters[i] - 0x41) << 4 | (letters[i + 1] - 0x41) for i in range(0, 32, 2))
    name = plain(_text(raw[:15]))
    return (name, raw[15]) if name and name.strip("*") else None


def _text(raw: bytes) -> str:
    return raw.rstrip(b" \0").decode("cp850", "replace")
