"""Windows shell links: the bytes of one, in a .lnk file or inside a jump list, as one ``Link``.

Sources: MS-SHLLINK; libyal, "Windows Shortcut File (LNK) format" and "Windows Shell Item format". Shell items of rare forms are read
by libfwsi, everything else here: there are thousands of links on a computer, and liblnk takes most of its time for what nobody asks.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from artefacts.times import NOT_RECORDED, Time, from_filetime

SIGNATURE = bytes.fromhex("4c0000000114020000000000c000000000000046")
_HEADER = 76
_HAS_ITEMS, _HAS_LINK_INFO, _UNICODE, _NO_LINK_INFO = 1, 2, 0x80, 0x100
_STRINGS = (0x04, 0x08, 0x10, 0x20, 0x40)  # description, relative path, working folder, arguments, icon
_DIRECTORY = 0x10
_MOST_ITEMS = 256
_DRIVES = {2: "removable drive", 3: "fixed drive", 4: "network drive", 5: "optical drive", 6: "memory disk"}
_APPLICATION_ID = UUID("9f4c2855-9f79-4b39-a8d0-e1d42de1d5f3").bytes_le  # property set of the shell; number 5 is the application's id
_VARIABLES_BLOCK, _TRACKER_BLOCK, _INSTALLER_BLOCK, _PROPERTIES_BLOCK = 0xA0000001, 0xA0000003, 0xA0000006, 0xA0000009
_HAS_ARGUMENTS = 0x20
_RELATIVE = 0x08
_SHORT, _LONG, _PAIR = struct.Struct("<H").unpack_from, struct.Struct("<I").unpack_from, struct.Struct("<2I").unpack_from
_INFO, _VOLUME, _SHARE = struct.Struct("<6I").unpack_from, struct.Struct("<4I").unpack_from, struct.Struct("<5I").unpack_from
_FIXED = struct.Struct("<IQQQI")  # at 24: attributes; created, accessed, modified; size
_URI_ITEM = 0x61
_PLACE_ITEM, _DRIVE_ITEM, _FILE_ITEM, _FILE_BLOCK = 0x1F, 0x2F, 0x30, bytes.fromhex("0400efbe")
_NAME_AT = {3: 20, 7: 38, 8: 42, 9: 46}  # bytes from the start of the block, by its version: XP, Vista and 7, 8, since 8.1
_BASE_85 = "!$%&'()*+,-.0123456789=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{}~"


@dataclass(slots=True)
class Link:
    """What a shell link says. Times are those of its target when the link was last written; ``volume`` as ``FileSeen.volume``."""

    target: str | None = None
    size: int | None = None
    created: Time = NOT_RECORDED
    modified: Time = NOT_RECORDED
    accessed: Time = NOT_RECORDED
    folder: bool = False
    arguments: str | None = None
    product: str | None = None
    volume: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def measure(data: bytes) -> tuple[int, str | None]:
    """Length in bytes of the link that ``data`` starts with, and what is wrong with its structure (None: nothing).

    Raises ``ValueError`` where it does not start with one.
    """
    parts = _parts(data)
    return parts.length, parts.damage


@dataclass(slots=True)
class _Parts:
    """Where the parts of a link lie. ``texts`` by their flag; ``blocks``: content of the additional ones by signature, the first of each."""

    flags: int
    length: int = 0
    damage: str | None = None
    items: bytes = b""
    info: bytes = b""
    texts: dict[int, bytes] = field(default_factory=dict)
    blocks: dict[int, bytes] = field(default_factory=dict)


def _parts(data: bytes) -> _Parts:
    if not data.startswith(SIGNATURE) or len(data) < _HEADER:
        raise ValueError("not a shell link")
    parts = _Parts(int.from_bytes(data[20:24], "little"))
    flags, place, part = parts.flags, _HEADER, ""
    try:
        if flags & _HAS_ITEMS:
            part = "list of shell items"
            size = _SHORT(data, place)[0]
            parts.items = data[place + 2 : place + 2 + size]
            place += 2 + size
        if flags & _HAS_LINK_INFO and not flags & _NO_LINK_INFO:
            part = "place of the target"
            size = max(4, _LONG(data, place)[0])
            parts.info = data[place : place + size]
            place += size
        for flag in _STRINGS:
            if flags & flag:
                part = "texts"
                size = _SHORT(data, place)[0] * (2 if flags & _UNICODE else 1)
                parts.texts[flag] = data[place + 2 : place + 2 + size]
                place += 2 + size
        while place < len(data):
            part = "additional blocks"
            size = _LONG(data, place)[0]
            if size >= 8:
                parts.blocks.setdefault(int.from_bytes(data[place + 4 : place + 8], "little"), data[place + 8 : place + size])
            place += max(4, size)
            if size < 4:
                break
    except struct.error:
        parts.length, parts.damage = len(data), f"cut short in its {part}"
        return parts
    parts.length, parts.damage = (place, None) if place <= len(data) else (len(data), f"cut short in its {part}")
    return parts


def read(data: bytes) -> Link:
    """The link that ``data`` is. Raises ``ValueError`` in plain words where it is none or cannot be read at all."""
    parts = _parts(data)
    if parts.damage and not (parts.items or parts.info or parts.texts):
        raise ValueError(f"a damaged shell link ({parts.damage})")
    link = Link(problems=[parts.damage] if parts.damage else [])
    flags, blocks = parts.flags, parts.blocks
    attributes, created, accessed, modified, link.size = _FIXED.unpack_from(data, 24)
    link.created, link.modified, link.accessed = from_filetime(created), from_filetime(modified), from_filetime(accessed)
    link.folder = bool(attributes & _DIRECTORY)
    link.arguments = _text(parts, _HAS_ARGUMENTS)
    local = network = None
    if parts.info:
        try:
            local, network, link.volume = _place_of_target(parts.info)
        except (struct.error, ValueError):
            link.problems.append("the place of the target is damaged")
    if (tracker := blocks.get(_TRACKER_BLOCK)) is not None:
        link.volume |= _tracked(tracker)
    if (installer := blocks.get(_INSTALLER_BLOCK)) is not None:
        link.product = _product(_wide(installer[260:]) or "")
    environment = blocks.get(_VARIABLES_BLOCK, b"")
    variables = _wide(environment[260:780]) or _narrow(environment[:260])
    application = _application(blocks[_PROPERTIES_BLOCK]) if _PROPERTIES_BLOCK in blocks else None
    items, opaque = _items(parts.items if flags & _HAS_ITEMS else b"", link)
    if local and items and not local.isascii() and items[1:2] == ":" and local.count("\\") == items.count("\\"):
        local = items  # the place of the target may be in an unknown code page, shell items are Unicode
    if items and items.startswith("::{") and "\\" not in items and application:
        items = None  # a Store application: its id says more than the folder of all applications
    link.target = local or network or variables or items or _text(parts, _RELATIVE) or application
    if opaque and link.target in (items, None):
        link.problems.append("the last of its shell items is in a form that cannot be read: the target is inside what is named")
    return link


def _text(parts: _Parts, flag: int) -> str | None:
    data = parts.texts.get(flag, b"")
    return _wide(data) if parts.flags & _UNICODE else _narrow(data)


def _place_of_target(info: bytes) -> tuple[str | None, str | None, dict[str, str]]:
    """The path on a volume, the path on the network, and the volume, from the structure LinkInfo. Raises ``struct.error``, ``ValueError``."""
    if len(info) < 28:
        return None, None, {}
    header, flags, volume_at, path_at, share_at, rest_at = _INFO(info, 4)
    wide_path_at, wide_rest_at = _PAIR(info, 28) if header >= 36 and len(info) >= 36 else (0, 0)
    rest = _wide_at(info, wide_rest_at) or _narrow_at(info, rest_at) or ""
    local = network = None
    volume: dict[str, str] = {}
    if flags & 1:
        path = _wide_at(info, wide_path_at) or _narrow_at(info, path_at)
        local = _joined(path, rest) if path else None
        if volume_at:
            _, kind, serial, label_at = _VOLUME(info, volume_at)
            label = (
                _wide_at(info, volume_at + _LONG(info, volume_at + 16)[0])
                if label_at == 20
                else _narrow_at(info, volume_at + label_at)
                if label_at
                else None
            )
            known = {"kind": _DRIVES.get(kind), "serial": f"{serial:08X}" if serial else None, "label": label}
            volume = {name: value for name, value in known.items() if value}
    if flags & 2 and share_at:
        _, _, name_at, _, _ = _SHARE(info, share_at)
        wide = _wide_at(info, share_at + _LONG(info, share_at + 20)[0]) if name_at > 20 else None
        share = wide or _narrow_at(info, share_at + name_at)
        network = _joined(share, rest) if share else None
    return local, network, volume


def _joined(start: str, rest: str) -> str:
    return f"{start}{rest}" if not rest or start.endswith("\\") else f"{start}\\{rest}"


def _tracked(block: bytes) -> dict[str, str]:
    """The machine, from the block by which Windows finds a target that has moved."""
    out = {}
    if machine := block[8:24].split(b"\0", 1)[0].decode("ascii", "replace"):
        out["machine"] = machine
    birth = block[72:88]
    if len(birth) == 16 and birth[7] >> 4 == 1 and birth[8] & 0xC0 == 0x80:
        # A UUID of version 1 carries the network address of the machine that made it.
        out["machine_mac"] = birth[10:].hex(":")
    return out


def _items(data: bytes, link: Link) -> tuple[str | None, bool]:
    """The path that the shell items make, and whether the last is of a form that says nothing to us."""
    if len(data) < 4:
        return None, False
    import pyfwsi

    items = pyfwsi.item_list()
    try:
        items.copy_from_byte_stream(data)
        count = min(items.number_of_items, _MOST_ITEMS)
    except (OSError, ValueError):
        link.problems.append("its list of shell items is damaged")
        return None, False
    parts: list[str] = []
    opaque = False
    offset = 0
    for index in range(count):
        size = int.from_bytes(data[offset : offset + 2], "little")
        content = data[offset : offset + size]
        offset += size
        try:
            part = _usual(content) or _item(items.get_item(index), content)
        except (OSError, ValueError):
            link.problems.append(f"shell item {index} is damaged")
            part = None
        opaque = part is None and b"1SPS" not in content and index == count - 1
        if part:
            parts.append(part)
    if len(parts) > 1 and parts[0].startswith("::{"):
        del parts[0]  # This PC, a library, …: what follows is a path of its own
    return ("\\".join(part.rstrip("\\") for part in parts) or None), opaque


def _usual(content: bytes) -> str | None:
    """The name of an item of a usual form (place, drive, file or folder), which is most of them; None where libfwsi must look at it.

    The last two bytes of a file's say where its first extension block begins; in that of files (0xbeef0004) the place of the name depends on
    the version.
    """
    kind = content[2] if len(content) >= 20 else 0
    if kind == _PLACE_ITEM and len(content) == 20:
        return _place(content[4:])
    if kind == _DRIVE_ITEM and content[4:6] == b":\\" and not any(content[6:]) and 65 <= content[3] <= 90:
        return f"{content[3]:c}:\\"
    if len(content) < 40 or kind & 0x70 != _FILE_ITEM:
        return None
    at = int.from_bytes(content[-2:], "little")
    if at < 16 or at + 20 > len(content) or content[at + 4 : at + 8] != _FILE_BLOCK:
        return None
    size, version = int.from_bytes(content[at : at + 2], "little"), int.from_bytes(content[at + 2 : at + 4], "little")
    start = _NAME_AT.get(version)
    if start is None or at + size > len(content):
        return None
    name, end, _ = content[at + start : (at + start) + (size - start - 2) // 2 * 2].decode("utf-16-le", "replace").partition("\0")
    return name if end and name.isprintable() else None


@lru_cache(256)
def _place(identifier: bytes) -> str:
    return f"::{{{str(UUID(bytes_le=identifier)).upper()}}}"


def _item(item: Any, content: bytes) -> Any:
    """The name of a shell item: str, or None where its form is not known."""
    kind = type(item).__name__
    if kind == "root_folder":
        return f"::{{{item.shell_folder_identifier.upper()}}}"
    if kind == "volume":
        return item.name or (f"::{{{item.identifier.upper()}}}" if item.identifier else None)
    if kind == "file_entry":
        extensions = (block for block in item.extension_blocks if type(block).__name__ == "file_entry_extension")
        return next((block.long_name for block in extensions if block.long_name), None) or item.name
    if kind == "network_location":
        return item.location
    if kind == "users_property_view":
        return (
            f"::{{{item.known_folder_identifier.upper()}}}"
            if item.known_folder_identifier
            else "[a folder or file named by its properties only]"
        )
    if kind == "control_panel_item":
        return f"::{{{item.identifier.upper()}}}"
    if content[2:3] == bytes([_URI_ITEM]):
        return _wide(content[8:]) if content[3] & 0x80 else content[8:].split(b"\0", 1)[0].decode("latin-1")
    return None


def _product(descriptor: str) -> str | None:
    """The product code in a Windows Installer descriptor: a GUID as 20 digits of base 85, lowest digit of each group of five first."""
    try:
        digits = [_BASE_85.index(character) for character in descriptor[:20]]
        groups = (sum(digit * 85**power for power, digit in enumerate(digits[at : at + 5])) for at in range(0, 20, 5))
        return f"{{{str(UUID(bytes_le=struct.pack('<4I', *groups))).upper()}}}"
    except (ValueError, struct.error):
        return None


def _application(store: bytes) -> str | None:
    """The application's id in a serialised property store (MS-PROPSTORE)."""
    start = store.find(_APPLICATION_ID)
    if start < 0:
        return None
    place = start + 16
    while place + 13 <= len(store):
        size, number = struct.unpack_from("<II", store, place)
        if number == 5 and store[place + 9 : place + 11] == b"\x1f\0":
            return _wide(store[place + 17 : place + size])
        if size < 9:
            break
        place += size
    return None


def _wide_at(data: bytes, place: int) -> str | None:
    return _wide(data[place:]) if place else None


def _narrow_at(data: bytes, place: int) -> str | None:
    return _narrow(data[place:]) if place else None


def _narrow(data: bytes) -> str | None:
    """A text in the machine's own code page, which is not recorded: read as Windows-1252, the most common one here."""
    return data.split(b"\0", 1)[0].decode("cp1252", "replace") or None


def _wide(data: bytes) -> str | None:
    return data[: len(data) // 2 * 2].decode("utf-16-le", "replace").split("\0", 1)[0] or None
