"""Which artefacts a path is for: glob patterns compiled into look-ups, cheap enough to ask for every file of a disk."""

from __future__ import annotations

import re
from collections.abc import Iterable

from artefacts.registry import Artefact

_WILD = re.compile(r"[*?\[]")


def glob(pattern: str) -> re.Pattern[str]:
    """A glob over a whole path: ``*`` and ``?`` inside one part, ``**`` any number of parts (none included). Matches lower-case paths."""
    out = []
    parts = pattern.strip("/").split("/")
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            out.append(".*" if last else "(?:[^/]+/)*")
            continue
        out.append("".join("[^/]*" if c == "*" else "[^/]" if c == "?" else re.escape(c) for c in part.lower()))
        if not last:
            out.append("/")
    return re.compile("/" + "".join(out), re.DOTALL)


class PathMatcher:
    """Finds the artefacts whose patterns fit a path.

    Patterns whose last part is a literal name, or ``*`` and a literal extension, or that name the folder, are kept in dictionaries, so that
    a path that concerns nobody costs three look-ups. All others are tried on each path.
    """

    def __init__(self, artefacts: Iterable[Artefact]) -> None:
        self._names: dict[str, list[tuple[re.Pattern[str], Artefact]]] = {}
        self._extensions: dict[str, list[tuple[re.Pattern[str], Artefact]]] = {}
        self._parents: dict[str, list[tuple[re.Pattern[str], Artefact]]] = {}
        self._others: list[tuple[re.Pattern[str], Artefact]] = []
        for artefact in artefacts:
            for pattern in artefact.paths:
                rule = (glob(pattern), artefact)
                parent, _, last = pattern.lower().rpartition("/")
                parent = parent.rpartition("/")[2]
                _, dot, extension = last.rpartition(".")
                if not _WILD.search(last):
                    self._names.setdefault(last, []).append(rule)
                elif dot and not _WILD.search(extension):
                    self._extensions.setdefault(extension, []).append(rule)
                elif last != "**" and parent and not _WILD.search(parent):
                    self._parents.setdefault(parent, []).append(rule)
                else:
                    self._others.append(rule)

    def match(self, path: str) -> list[Artefact]:
        """The artefacts for ``path`` (full path inside a volume, ``/`` between parts), each once, in order of id."""
        lower = path.lower()
        folder, _, name = lower.rpartition("/")
        rules = [*self._names.get(name, ()), *self._parents.get(folder.rpartition("/")[2], ()), *self._others]
        if "." in name:
            rules += self._extensions.get(name.rpartition(".")[2], ())
        if not rules:
            return []
        found = {artefact.id: artefact for regex, artefact in rules if regex.fullmatch(lower)}
        return [found[key] for key in sorted(found)]
