"""Where the terms of a library are not to count: sites, folders and applications that its keeper has named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from rules.keywords.folding import fold

KINDS = ("site", "folder", "application")
PREFIX = "exclude-"
"""Before the kind, in the column ``form`` of a line that is no term."""
_DRIVE = re.compile(r"^[a-z]:")


@dataclass(frozen=True)
class Exclusion:
    """``site``: a host and all below it. ``folder``: a glob over the path, for everything in it (``*`` within a part, ``**`` any number of parts).
    ``application``: the beginning of an artefact's id, whole parts of it (``browsers.firefox``)."""

    kind: str
    value: str
    library: str

    def holds(self, *, hosts: Sequence[str], paths: Sequence[str], application: str) -> bool:
        """Whether something of these hosts and paths (``folded_path``), read by this artefact, is left out."""
        if self.kind == "site":
            return any(host == self._host or host.endswith("." + self._host) for host in hosts)
        if self.kind == "application":
            own = self.value.lower()
            return application.lower() == own or application.lower().startswith(own + ".")
        return any(self._folder.match(path) for path in paths)

    @cached_property
    def _host(self) -> str:
        return host_of(self.value) or self.value.lower().strip(".")

    @cached_property
    def _folder(self) -> re.Pattern[str]:
        parts = [part for part in folded_path(self.value).split("/") if part]
        if parts and parts[-1] == "**":
            parts.pop()
        source = "".join("(?:[^/]+/)*" if part == "**" else "".join(_GLOB.get(c, re.escape(c)) for c in part) + "/" for part in parts)
        return re.compile(source)


_GLOB = {"*": "[^/]*", "?": "[^/]"}


def exclusion(form: str, value: str, library: str) -> Exclusion:
    """The exclusion that a line of a list says. Raises ``ValueError`` with a plain reason."""
    kind = form.removeprefix(PREFIX)
    if kind not in KINDS:
        raise ValueError(f"excludes by {kind!r}: {', '.join(KINDS)}")
    value = value.strip()
    if not value.strip("*/.\\? "):
        raise ValueError(f"excludes every {kind}: name one")
    if len(value) > 500 or value.count("*") > 20:
        raise ValueError(f"excludes a {kind} of more than 500 characters or 20 asterisks")
    return Exclusion(kind, value, library)


def host_of(address: str) -> str:
    """The host of a URL in lower case without its last full stop; empty if it has none."""
    if "//" not in address:
        return ""
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""


def folded_path(path: str) -> str:
    """A path as exclusions compare it: folded, with ``/``, without drive letter and without a slash at its beginning."""
    return _DRIVE.sub("", fold(path).replace("\\", "/")).lstrip("/")


class Exclusions:
    """The exclusions of several libraries, each for the hits of its own library only."""

    def __init__(self, items: Iterable[Exclusion]) -> None:
        self._of: dict[str, list[Exclusion]] = {}
        for item in items:
            self._of.setdefault(item.library, []).append(item)

    def libraries(self, *, addresses: Sequence[str] = (), paths: Sequence[str] = (), application: str = "") -> frozenset[str]:
        """The libraries whose hits do not count there. ``addresses``: URLs; ``paths``: of the file, and what a record remembers."""
        if not self._of:
            return frozenset()
        hosts = [host for address in addresses if (host := host_of(address))]
        folded = [folded_path(path) for path in paths if path]
        return frozenset(
            library
            for library, items in self._of.items()
            if any(item.holds(hosts=hosts, paths=folded, application=application) for item in items)
        )
