"""Scan profiles: small, readable data in ``profiles.yaml``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Profile:
    """What a scan looks at. Sizes are in bytes. ``every_byte``: keywords are looked for in
    binary files and in the space between files, too.

    ``look_inside``: the classes whose archives, documents, mail and pictures are gone through for what lies inside; ``largest_container``: of
    such a file at most; ``unpacked`` bytes, ``members`` and ``seconds_inside``: what may come out of one of them, and how long it may take."""

    name: str
    meaning: str
    classes: tuple[str, ...]
    digests: str
    largest_file: int
    largest_text: int
    largest_yara: int
    largest_container: int
    unpacked: int
    members: int
    seconds_inside: float
    look_inside: tuple[str, ...]
    carve: str = "never"
    """Whether whole pictures and videos are looked for in space that no file uses: never, in time left (of a time budget), always."""
    every_byte: bool = False
    shadow_copies: bool = False
    virtual_disks: bool = False
    """Whether virtual disks that are files of a volume are opened and examined like disks of their own."""
    samples_space: bool = True
    """Whether free space is sampled, and the journals of file systems are read for names."""

    def to_json(self) -> dict[str, Any]:
        """As written to the journal and handed to workers."""
        return {**asdict(self), "classes": list(self.classes), "look_inside": list(self.look_inside)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Profile:
        """The inverse of ``to_json``."""
        return cls(**{**value, "classes": tuple(value["classes"]), "look_inside": tuple(value["look_inside"])})


def load_profile(name: str) -> Profile:
    """The profile called ``name``. Raises ``KeyError`` naming those there are."""
    import yaml

    data = yaml.safe_load((Path(__file__).parent / "profiles.yaml").read_text("utf-8"))
    if name not in data:
        raise KeyError(f"there is no profile {name!r}: choose one of {', '.join(data)}")
    entry = data[name]
    return Profile(
        name=name,
        meaning=entry["meaning"],
        classes=tuple(entry["classes"]),
        digests=entry["digests"],
        largest_file=entry["largest_file"] * MIB,
        largest_text=entry["largest_text"] * MIB,
        largest_yara=entry["largest_yara"] * MIB,
        largest_container=entry["largest_container"] * MIB,
        unpacked=entry["unpacked"] * MIB,
        members=entry["members"],
        seconds_inside=entry["seconds_inside"],
        look_inside=tuple(entry["look_inside"]),
        carve=entry["carve"],
        every_byte=entry.get("every_byte", False),
        shadow_copies=entry.get("shadow_copies", False),
        virtual_disks=entry.get("virtual_disks", False),
        samples_space=entry.get("samples_space", True),
    )
