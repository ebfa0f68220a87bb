"""The value of one resident attribute of one record, without numpy: decoding in bulk costs a millisecond however little there is.

Same structures as ``records`` and ``attributes``. Anything unusual gives None, and the general way decides.
"""

from __future__ import annotations

from struct import unpack_from

_SECTOR = 512
_END = 0xFFFFFFFF


def resident_value(record: bytes, type_: int, id_: int) -> bytes | None:
    """The value of the resident attribute with this type and id in a file record as it lies on disk; None if it is not simply there."""
    if len(record) < 64 or record[:4] != b"FILE":
        return None
    fixups, words = unpack_from("<HH", record, 4)
    if words != len(record) // _SECTOR + 1 or fixups + 2 * words > _SECTOR - 2:
        return None
    sound = bytearray(record)
    check = record[fixups : fixups + 2]
    for sector in range(1, words):
        end = sector * _SECTOR
        if record[end - 2 : end] != check:
            return None
        sound[end - 2 : end] = record[fixups + 2 * sector : fixups + 2 * sector + 2]
    (position,) = unpack_from("<H", sound, 20)
    while position + 24 <= len(sound):
        found, length, non_resident = unpack_from("<IIB", sound, position)
        if found == _END or length < 24 or position + length > len(sound):
            return None
        if found == type_ and unpack_from("<H", sound, position + 14)[0] == id_:
            size, content = unpack_from("<IH", sound, position + 16)
            if non_resident or content + size > length:
                return None
            return bytes(sound[position + content : position + content + size])
        position += length
    return None
