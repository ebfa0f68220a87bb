"""``bundle.json``: the version and the SHA-256 of every file of a bundle, and the check against it.

It tells of damage, of a virus scanner that took a file away, and of careless change. Whoever can change a program can change its list
too: against that stands the signature of the program (``--sign-command``) and ``triage stick check`` with the keeper's key.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

NAME = "bundle.json"
SCHEMA = "triage-bundle/1"


def write(folder: Path, facts: dict[str, Any]) -> None:
    """List every file below ``folder`` (``bundle.json`` itself left out) with size and SHA-256, beside ``facts`` (version, target …)."""
    files = {
        path.relative_to(folder).as_posix(): {"size": path.stat().st_size, "sha256": _digest(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).as_posix() != NAME
    }
    (folder / NAME).write_text(json.dumps({"schema": SCHEMA, **facts, "files": files}, indent=1) + "\n", encoding="utf-8")


def quick_check(folder: Path) -> list[str]:
    """What is wrong, a sentence each, by names and sizes alone, and by content of the program and the files it reads as data.

    Fast enough for every start: the large libraries are compared by size; ``full_check`` reads them too.
    """
    return _check(folder, lambda name, size: size <= 64 << 10 and not name.endswith((".dll", ".pyd", ".so")))


def full_check(folder: Path) -> list[str]:
    """What is wrong, a sentence each: every file's content is compared."""
    return _check(folder, lambda name, size: True)


def _check(folder: Path, read: Any) -> list[str]:
    try:
        listed = dict(json.loads((folder / NAME).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        return [f"{NAME} cannot be read: {error}"]
    problems = []
    seen = set()
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(root) / name
            inside = path.relative_to(folder).as_posix()
            if inside == NAME:
                continue
            seen.add(inside)
            entry = listed.get(inside)
            if entry is None:
                problems.append(f"{inside} does not belong to the bundle")
            elif path.stat().st_size != entry["size"] or (read(inside, entry["size"]) and _digest(path) != entry["sha256"]):
                problems.append(f"{inside} was changed")
    problems += [f"{name} is missing" for name in listed if name not in seen]
    return problems


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
