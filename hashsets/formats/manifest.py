"""The manifest of a set that is handed over in several parts: a set is complete only when every part named is there and is the one named.

National sets arrive as several files that must be loaded together; there is no public form of manifest. Ours is JSON:
``{"set_name": "…", "set_version": "…", "parts": [{"file": "part1.json", "sha256": "…"}, …]}``, beside its parts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hashsets.entries import shown
from hashsets.errors import Damaged, Incomplete

_MAX_BYTES = 1 << 22
_PART_OF = re.compile(r"(?<![0-9])([0-9]{1,4})[ _.-]*of[ _.-]*([0-9]{1,4})(?![0-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A set's name and version, where given, and its parts, all there and checked."""

    name: str | None
    version: str | None
    parts: tuple[Path, ...]


def read_manifest(path: Path) -> Manifest | None:
    """The manifest at ``path``, None where the file is none. Raises ``Incomplete`` for a part that is missing or differs, ``Damaged``."""
    if path.stat().st_size > _MAX_BYTES:
        return None
    try:
        data = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or "parts" not in data:
        return None
    parts = data["parts"]
    if not isinstance(parts, list) or not parts or not all(isinstance(p, dict) and {"file", "sha256"} <= set(p) for p in parts):
        raise Damaged(f"{path.name} is a manifest whose parts do not each have a file and a sha256.")
    return Manifest(
        _text(data.get("set_name")), _text(data.get("set_version")), tuple(_checked(path, p["file"], p["sha256"]) for p in parts)
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _checked(manifest: Path, name: object, sha256: object) -> Path:
    if not isinstance(name, str) or Path(name).name != name:
        raise Damaged(f"{manifest.name} names a part {shown(str(name))} that is not beside it.")
    part = manifest.parent / name
    try:
        with part.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        raise Incomplete(f"{manifest.name}: the part {shown(name)} is missing; a set in parts is loaded whole or not at all.") from None
    if found != str(sha256).lower():
        raise Incomplete(f"{manifest.name}: the part {shown(name)} is not the one that the manifest names (its SHA-256 differs).")
    return part


def check_numbered(paths: Sequence[Path]) -> None:
    """Raises ``Incomplete`` where names such as ``set_2of3.json`` show that a part was left out of ``paths``."""
    families: dict[tuple[str, int], set[int]] = defaultdict(set)
    for path in paths:
        if found := _PART_OF.search(path.name):
            families[path.name[: found.start()] + "*" + path.name[found.end() :], int(found.group(2))].add(int(found.group(1)))
    for (name, total), there in families.items():
        if missing := sorted(set(range(1, total + 1)) - there):
            listed = ", ".join(map(str, missing[:10]))
            raise Incomplete(
                f"{name} has {total} parts by its names, of which {listed} are not given; a set in parts is loaded whole or not at all."
            )
