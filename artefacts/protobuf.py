"""Protocol buffers without their description: the fields of one message by number.

Source: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

MOST_FIELDS = 10_000


def fields(data: bytes) -> dict[int, list[int | bytes]]:
    """Whole numbers and byte strings (text, or messages inside) by field number, each in the order they stand.

    Raises ``ValueError`` for what is no message. Any bytes may happen to be one: the reader knows what they should hold.
    """
    found: dict[int, list[int | bytes]] = {}
    place = count = 0
    while place < len(data):
        count += 1
        tag, place = varint(data, place)
        number, kind = tag >> 3, tag & 7
        value: int | bytes
        if not number or count > MOST_FIELDS:
            raise ValueError("no message")
        if kind == 0:
            value, place = varint(data, place)
        elif kind == 2:
            size, place = varint(data, place)
            value, place = data[place : place + size], place + size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, place = int.from_bytes(data[place : place + size], "little"), place + size
        else:
            raise ValueError("no message")
        if place > len(data):
            raise ValueError("cut short")
        found.setdefault(number, []).append(value)
    return found


def text(message: dict[int, list[int | bytes]], number: int) -> str | None:
    """The first value of a field as UTF-8 text, or None where there is none."""
    value = message.get(number, [None])[0]
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else None


def integer(message: dict[int, list[int | bytes]], number: int) -> int | None:
    """The first value of a field as a whole number, or None where there is none."""
    value = message.get(number, [None])[0]
    return value if isinstance(value, int) else None


def varint(data: bytes, place: int) -> tuple[int, int]:
    """A whole number of seven bits a byte, lowest first, and the place after it. Raises ``ValueError``; LevelDB writes them so too."""
    value = shift = 0
    while place < len(data) and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise ValueError("cut short")
