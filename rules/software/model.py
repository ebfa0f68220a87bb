"""What an entry of the software catalogue is, once it has been read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS: Mapping[str, str] = {
    "installed": "name in the list of programs",
    "exe": "program file",
    "path": "file or folder of its own",
    "registry": "key of its own in the registry",
    "package": "package",
    "bundle": "application id",
    "extension": "browser extension",
    "service": "service",
    "driver": "driver",
    "download": "name of its download",
    "appid": "jump list",
    "yara": "content pattern",
    "site": "web site of its maker",
    "web": "use in a browser",
    "search": "words searched for",
}
"""The kinds of traces, and what each is called in a report."""

SYSTEMS = ("windows", "macos", "linux")


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace: its kind, its value as written (without the mark of a weak one), and whether it says alone which program it is."""

    kind: str
    value: str
    strong: bool


@dataclass(frozen=True, slots=True)
class Category:
    """What the programs of one file have in common. ``bears_on``: checks of the conditions of an order."""

    id: str
    title: str
    bears_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """One entry. ``severity``: 1 (a fact) to 5; ``bears_on``: the category's and its own; ``system``: operating systems that it comes with."""

    id: str
    name: str
    what: str
    category: Category
    severity: int
    innocent: str
    sources: tuple[str, ...]
    traces: tuple[Trace, ...]
    bears_on: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    origin: str = field(default="", compare=False)
