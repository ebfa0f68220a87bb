"""Reads the software catalogue from YAML: one file a category, each entry checked on its own, so that a wrong one costs only itself.

A file (``?`` marks what may be left out)::

    category: wipers                  # lower-case, the same as the name of the file
    title: programs that destroy data
    bears_on?: [no_wiping_software]   # checks of the conditions of an order
    programs:
      - id: sdelete                   # lower-case words, digits and _; unique in the whole catalogue
        name: SDelete
        what: One plain sentence.
        severity: 3                   # 1: a fact and no concern, unless a condition of the order bears on it
        innocent: One honest sentence.
        source: https://…             # where the traces were checked; or a list
        bears_on?: […]                # more checks than the category's
        system?: [windows]            # comes with these systems: there, its presence alone says nothing
        installed?: [BleachBit, "Eraser *"]   # names in the list of programs, version and word size aside; * at the end: and more words
        exe?: [sdelete.exe, sdelete64.exe]    # names of program files; one without an ending counts where programs lie, and as a command
        path?: [AppData/Roaming/BleachBit]    # a file or folder by the end of its path; whole names, / between
        registry?: [Software/Piriform/CCleaner]
        package?: [bleachbit]         # dpkg, rpm, snap, flatpak, Homebrew, winget
        bundle?: [org.example.app]    # macOS, Android, iOS
        extension?: [id]              # of Chromium or Firefox
        service?: […] / driver?: […]
        download?: ["bleachbit-*"]    # begins the name of an installer or an archive
        appid?: [9b9cdc69c1c24e2b]    # of jump lists
        yara?: [rule_name]
        site?: [bleachbit.org, github.com/bleachbit]   # of its maker
        web?: [web.example.org]       # where opening the page is using the service
        search?: [bleachbit]          # words in a search; left out: the name, where it is a strong ``installed`` trace and severity is 2 or more

A value that begins with ``~`` is weak: it counts only beside another trace.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from rules.findings.model import CHECKS
from rules.problems import Problem
from rules.software.model import KINDS, SYSTEMS, Category, Program, Trace
from rules.strictyaml import Document, Place, YamlError, parse

SHIPPED = Path(__file__).parent
_ID = re.compile(r"[a-z0-9_]+")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(/[^\s?#]*)?")
_APPID = re.compile(r"[0-9a-f]{8,16}")
_HEAD = ("category", "title", "programs")
_REQUIRED = ("id", "name", "what", "severity", "innocent", "source")
_OPTIONAL = ("bears_on", "system", *KINDS)
_LONGEST = 300
_FLAT = {"installed", "exe", "package", "bundle", "extension", "service", "driver", "download", "yara", "search"}
"""Kinds whose values have no ``/``, packages and applications of winget, Homebrew and Flatpak included."""


@dataclass(slots=True)
class Catalogue:
    """``programs`` by id, in the order read; ``problems``: what was wrong with others; ``digest``: SHA-256 over the files read."""

    programs: dict[str, Program] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    digest: str = ""

    def __iter__(self) -> Iterator[Program]:
        return iter(self.programs.values())

    def __len__(self) -> int:
        return len(self.programs)


def load(paths: Sequence[Path] = (SHIPPED,)) -> Catalogue:
    """Read files, and folders of ``*.yaml``. Never raises: what is wrong is in ``problems``, the rest is used."""
    loaded = Catalogue()
    hasher = hashlib.sha256()
    strong: dict[tuple[str, str], Program] = {}
    for path in paths:
        for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
            try:
                data = file.read_bytes()
            except OSError as error:
                loaded.problems.append(Problem(str(file), 0, f"cannot be read: {error.strerror or error}"))
                continue
            hasher.update(f"{file.name}\0{len(data)}\0".encode("utf-8", "surrogateescape") + data)
            _File(str(file), loaded, strong).read(data, file.stem)
    loaded.digest = hasher.hexdigest()
    return loaded


@cache
def shipped() -> Catalogue:
    """The catalogue that ships with the tool, read once."""
    return load()


class _File:
    """Checks one file; every fault goes to the catalogue's problems."""

    def __init__(self, name: str, loaded: Catalogue, strong: dict[tuple[str, str], Program]) -> None:
        self._name, self._loaded, self._strong = name, loaded, strong
        self._document = Document(None)
        self._faults = 0

    def read(self, data: bytes, stem: str) -> None:
        try:
            self._document = parse(data)
        except YamlError as error:
            self._loaded.problems.append(Problem(self._name, error.line, error.reason))
            return
        value = self._document.value
        if not isinstance(value, dict) or not isinstance(value.get("programs"), list):
            self._fault((), "is not a file of the software catalogue: category, title and a list of programs")
            return
        for place in self._document.repeated:
            self._fault(place, f"the key {place[-1]} is given twice")
        for key in value:
            if key not in (*_HEAD, "bears_on"):
                self._fault((key,), f"unknown key {key}")
        category = Category(self._text((), value, "category"), self._text((), value, "title"), self._words((), value, "bears_on", CHECKS))
        if category.id != stem:
            self._fault(("category",), f"the category is {category.id}, the file is called {stem}: they must agree")
        repeated = {place[:2] for place in self._document.repeated}
        for index, item in enumerate(value["programs"]):
            if ("programs", index) not in repeated:
                self._program(("programs", index), item, category)

    def _fault(self, place: Place, reason: str) -> None:
        self._faults += 1
        self._loaded.problems.append(Problem(self._name, self._document.line(place), reason))

    def _program(self, place: Place, item: Any, category: Category) -> None:
        before = self._faults
        if not isinstance(item, dict):
            self._fault(place, "a program is a mapping of keys")
            return
        for key in item:
            if key not in _REQUIRED and key not in _OPTIONAL:
                self._fault((*place, key), f"unknown key {key}")
        identity = self._text(place, item, "id")
        if not _ID.fullmatch(identity):
            self._fault((*place, "id"), "the id is lower-case words, digits and _")
        elif identity in self._loaded.programs:
            self._fault((*place, "id"), f"the id {identity} is used already at {self._loaded.programs[identity].origin}")
        severity = item.get("severity")
        if isinstance(severity, bool) or not isinstance(severity, int) or not 1 <= severity <= 5:
            self._fault((*place, "severity"), "severity is a whole number from 1 to 5")
            severity = 1
        sources = item.get("source")
        sources = [sources] if isinstance(sources, str) else sources
        if not isinstance(sources, list) or not sources or not all(isinstance(x, str) and x.startswith("https://") for x in sources):
            self._fault((*place, "source"), "source is a public address that begins with https://, or a list of such")
            sources = []
        name = self._text(place, item, "name")
        program = Program(
            id=identity,
            name=name,
            what=self._sentence(place, item, "what"),
            category=category,
            severity=severity,
            innocent=self._sentence(place, item, "innocent"),
            sources=tuple(sources),
            traces=self._traces(place, item, name, severity),
            bears_on=tuple(dict.fromkeys((*category.bears_on, *self._words(place, item, "bears_on", CHECKS)))),
            system=self._words(place, item, "system", SYSTEMS),
            origin=f"{self._name}:{self._document.line(place)}",
        )
        self._unshared(place, program)
        if self._faults == before:
            self._loaded.programs[identity] = program
            self._strong |= {(trace.kind, trace.value.casefold()): program for trace in program.traces if trace.strong}

    def _unshared(self, place: Place, program: Program) -> None:
        """What says alone which program it is cannot be of two."""
        for trace in program.traces:
            other = self._strong.get((trace.kind, trace.value.casefold()))
            if trace.strong and other is not None:
                self._fault((*place, trace.kind), f"{trace.value} is a strong trace of {other.id} too, at {other.origin}")

    def _traces(self, place: Place, item: dict[str, Any], name: str, severity: int) -> tuple[Trace, ...]:
        found: list[Trace] = []
        for kind in KINDS:
            values = item.get(kind, [])
            if not isinstance(values, list):
                self._fault((*place, kind), f"{kind} is a list")
                continue
            for index, value in enumerate(values):
                trace = self._trace((*place, kind, index), kind, value)
                if trace is not None:
                    if any(trace.kind == other.kind and trace.value.casefold() == other.value.casefold() for other in found):
                        self._fault((*place, kind, index), f"{trace.value} is given twice")
                    found.append(trace)
        if not any(trace.kind not in ("site", "search") for trace in found):
            self._fault(place, "has no trace but sites and searches")
        if "search" not in item and severity > 1:
            found += [Trace("search", name, True)] if any(t.kind == "installed" and t.strong for t in found) else []
        return tuple(found)

    def _trace(self, place: Place, kind: str, value: Any) -> Trace | None:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value.strip("~* ") or len(value) > _LONGEST:
            self._fault(place, f"is not a text of 1 to {_LONGEST} characters")
            return None
        strong, text = not value.startswith("~"), value.removeprefix("~")
        if "\\" in text or "//" in text or text.startswith("/") or text.endswith("/"):
            self._fault(place, f"{text}: parts are joined by single /, none at the ends")
        elif kind in _FLAT and "/" in text:
            self._fault(place, f"{text}: a value of {kind} has no /")
        elif "*" in text[:-1] or (text.endswith("*") and kind not in ("installed", "download")):
            self._fault(place, f"{text}: * stands only at the end, in installed and download")
        elif kind in ("site", "web") and not _HOST.fullmatch(text):
            self._fault(place, f"{text} is not a host name in lower case, with or without a path")
        elif kind == "appid" and not _APPID.fullmatch(text):
            self._fault(place, f"{text} is not the 16 hexadecimal digits of a jump list")
        else:
            return Trace(kind, text, strong)
        return None

    def _text(self, place: Place, item: dict[str, Any], key: str) -> str:
        value = item.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value.strip():
            self._fault((*place, key), f"{key} is missing")
            return ""
        return " ".join(value.split())

    def _sentence(self, place: Place, item: dict[str, Any], key: str) -> str:
        text = self._text(place, item, key)
        if text and (not text.endswith(".") or len(text) > _LONGEST or any(sign in text for sign in "{}")):
            self._fault((*place, key), f"{key} is a sentence of at most {_LONGEST} characters that ends with a full stop")
        return text

    def _words(self, place: Place, item: dict[str, Any], key: str, known: Sequence[str]) -> tuple[str, ...]:
        value = item.get(key, [])
        if not isinstance(value, list) or any(word not in known for word in value):
            self._fault((*place, key), f"{key} is a list of some of {', '.join(known)}")
            return ()
        return tuple(value)
