"""Shell items: how Windows writes down where something is in Explorer's tree, item by item.

Source: J. Metz, "Windows Shell Item format specification" (libfwsi), read through libfwsi.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from artefacts.times import NOT_RECORDED, Time, from_local

KNOWN = {
    "20d04fe0-3aea-1069-a2d8-08002b30309d": "This PC",
    "208d2c60-3aea-1069-a2d7-08002b30309d": "Network",
    "450d8fba-ad25-11d0-98a8-0800361b1103": "Documents",
    "645ff040-5081-101b-9f08-00aa002f954e": "Recycle Bin",
    "21ec2020-3aea-1069-a2dd-08002b30309d": "Control Panel",
    "26ee0668-a00a-44d7-9371-beb064c98683": "Control Panel",
    "5399e694-6ce5-4d6c-8fce-1d8870fdcba0": "Control Panel",
    "031e4825-7b94-4dc3-b131-e946b44c8dd5": "Libraries",
    "59031a47-3f72-44a7-89c5-5595fe6b30ee": "User's folder",
    "b4fb3f98-c1ea-428d-a78a-d1f5659cba93": "HomeGroup",
    "679f85cb-0220-4080-b29b-5540cc05aab6": "Quick access",
    "871c5380-42a0-1069-a2ea-08002b30309d": "Internet Explorer",
    "9343812e-1c37-4a49-a12e-4b2d810d956b": "Search",
    "374de290-123f-4565-9164-39c4925e467b": "Downloads",
    "088e3905-0323-4b02-9826-5d99428e115f": "Downloads",
    "d3162b92-9365-467a-956b-92703aca08af": "Documents",
    "a8cdff1c-4878-43be-b5fd-f8091c1c60d0": "Documents",
    "b4bfcc3a-db2c-424c-b029-7fe99a87c641": "Desktop",
    "24ad3ad4-a569-4530-98e1-ab02f9417aa8": "Pictures",
    "3add1653-eb32-4cb0-bbd7-dfa0abb5acca": "Pictures",
    "f86fa3ab-70d2-4fc7-9c99-fcbf05467f3a": "Videos",
    "a0953c92-50dc-43bf-be83-3742fed03c9c": "Videos",
    "3dfdf296-dbec-4fb4-81d1-6a3438bcf4de": "Music",
    "fdd39ad0-238f-46af-adb4-6c85480369c7": "Documents",
    "7b0db17d-9cd2-4a93-9733-46cc89022e7c": "Documents library",
    "a990ae9f-a03b-4e80-94bc-9912d7504104": "Pictures library",
    "2112ab0a-c86a-4ffe-a368-0de96e47012e": "Music library",
    "491e922f-5643-4af4-a7eb-4e7a138d8174": "Videos library",
    "1cf1260c-4dd0-4ebb-811f-33c572699fde": "Music",
}
"""Places without a path of their own, by identifier."""


@dataclass(frozen=True, slots=True)
class ShellItem:
    """One step: ``name``, ``kind`` (folder, file, volume, network, known place, other), size in bytes of a file, and its times.

    DOS times, to two seconds; Windows writes them in UTC in most items and local time in some: which is not recorded.
    """

    name: str
    kind: str
    size: int | None = None
    modified: Time = NOT_RECORDED
    created: Time = NOT_RECORDED
    accessed: Time = NOT_RECORDED


def shell_items(data: bytes) -> list[ShellItem]:
    """The items of a list (two bytes of length before each, a length of 0 at its end). Raises ``OSError`` where libfwsi cannot read it."""
    import pyfwsi

    items = pyfwsi.item_list()
    items.copy_from_byte_stream(data)
    return [_item(item) for item in items.items]


def path_of(items: list[ShellItem]) -> str:
    """The steps as one path, ``\\`` between; a drive letter takes the place of what stands before it."""
    out = ""
    for item in items:
        starts_anew = item.kind == "volume" or (item.kind == "network" and item.name.startswith("\\\\"))
        out = item.name.rstrip("\\") if starts_anew or not out else f"{out}\\{item.name}"
    return out + "\\" if len(items) and items[-1].kind == "volume" else out


def _item(item: Any) -> ShellItem:
    kind = type(item).__name__
    if kind == "file_entry":
        extension = next((block for block in item.extension_blocks if type(block).__name__ == "file_entry_extension"), None)
        name = (_get(extension, "long_name") if extension else None) or _get(item, "name") or "?"
        # 0x10 in the class: folder; 0x01 of the flags beside it likewise.
        folder = bool(item.class_type & 0x01) or bool((_get(item, "file_attribute_flags") or 0) & 0x10)
        return ShellItem(
            name,
            "folder" if folder else "file",
            None if folder else _get(item, "file_size") or None,  # 0: a name that was typed, not a file looked at
            _time(_get(item, "modification_time")),
            _time(_get(extension, "creation_time")) if extension else NOT_RECORDED,
            _time(_get(extension, "access_time")) if extension else NOT_RECORDED,
        )
    if kind == "volume":
        name = _get(item, "name")
        return ShellItem(name, "volume") if name else _place(_get(item, "shell_folder_identifier") or _get(item, "identifier"))
    if kind == "network_location":
        return ShellItem(_get(item, "location") or _get(item, "description") or "?", "network")
    if kind == "root_folder":
        return _place(_get(item, "shell_folder_identifier"))
    if kind == "users_property_view":
        return _place(_get(item, "known_folder_identifier"))
    if kind == "control_panel_item":
        return _place(_get(item, "identifier"))
    if kind == "control_panel_category":
        return ShellItem(f"category {_get(item, 'identifier')}", "known place")
    if kind == "compressed_folder":
        return ShellItem(_get(item, "name") or "?", "folder")
    return ShellItem(f"(item of type {item.class_type:02x})", "other")


def _place(identifier: str | None) -> ShellItem:
    if not identifier:
        return ShellItem("(a place without a name)", "other")
    return ShellItem(KNOWN.get(str(identifier).strip("{}").lower(), f"{{{identifier}}}"), "known place")


def _get(item: Any, name: str) -> Any:
    try:
        return getattr(item, name, None)
    except (OSError, ValueError, OverflowError):
        return None  # a field that this item has damaged


def _time(value: Any) -> Time:
    if value is None or value.year <= 1980:
        return NOT_RECORDED  # libfwsi gives 1980-01-01 or an error for "not set"
    return from_local(value.isoformat(), "a shell item's DOS time, to two seconds, UTC or local")
