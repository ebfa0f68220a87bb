"""Finds programs of the catalogue in observations and in lists of files: by look-ups of whole names, whatever the size of the catalogue.

Names are compared without regard to case, as whole words, names of files or host names: "Tortoise" is no trace of "Tor".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rules.software.model import Program, Trace

INSTALLED, RUN, STARTS, PRESENT, DELETED, REMEMBERED = "installed", "run", "starts by itself", "present", "deleted", "remembered"
DOWNLOADED, SEARCHED, VISITED, USED_ONLINE, ACCOUNT = "downloaded", "searched for", "site visited", "used in a browser", "account"
EXTENSION, CONTENT, SETTINGS, SHARED, UNINSTALLED = "browser extension", "content", "settings left", "files shared", "uninstalled"
SEEN = (
    INSTALLED, RUN, STARTS, PRESENT, DELETED, REMEMBERED, DOWNLOADED, SEARCHED, VISITED, USED_ONLINE, ACCOUNT, EXTENSION, CONTENT, SETTINGS,
    SHARED, UNINSTALLED,
)  # fmt: skip
"""What a trace can say: ``Hit.seen``."""

_WORD = re.compile(r"[^\W_]+(?:[.+][^\W_]+)*\+*")
_VERSION = re.compile(r"v?\d[\w.+]*|x64|x86|amd64|arm64|bit|version|beta|portable|en|us|gb")
_PREFETCH = re.compile(r"(.{1,29})-[0-9a-f]{8}\.pf")
_PREFETCH_NAME = 29  # characters of a program's name that Prefetch keeps
_PACKED = frozenset(
    ["exe", "msi", "msix", "appx", "zip", "7z", "rar", "gz", "xz", "bz2", "tgz", "tbz", "dmg", "pkg", "deb", "rpm", "appimage", "iso", "img", "apk"]
)  # fmt: skip
"""Endings of installers, archives and images."""
_PROGRAM_FOLDERS = frozenset(("bin", "sbin", "games", "libexec", "macos"))
_BEFORE_COMMAND = frozenset(
    ("sudo", "doas", "nohup", "env", "exec", "time", "nice", "start", "torsocks", "torify", "proxychains", "command")
)
_PACKAGES = ("package", "dpkg", "apt", "rpm", "pacman", "snap", "flatpak", "brew", "winget", "store", "msix", "portage", "apk")
_LISTS_OF_PACKAGES = ("dpkg", "apt", "rpm", "pacman", "portage")
"""Where a name is that of a package, which is compared whole: qemu-block-extra is no QEMU."""
_CACHED = 1 << 16


class Hit(NamedTuple):
    """A trace of a program: which, by what trace, and what that says (one of ``SEEN``)."""

    program: Program
    trace: Trace
    seen: str


def words(text: str) -> tuple[str, ...]:
    """The words of a name or a search, in lower case."""
    return tuple(_WORD.findall(text.casefold()))


def parts(path: str) -> list[str]:
    """The parts of a path of any system, in lower case, without empty ones."""
    return [part for part in path.replace("\\", "/").casefold().split("/") if part]


def host_and_path(url: str) -> tuple[str, str]:
    """Host name and path of an address, in lower case; empty where it has none."""
    start = url.find("://")
    if start < 0:
        return "", ""
    rest = url[start + 3 : start + 403].lower()
    end = len(rest)
    for sign in "/?#":
        at = rest.find(sign)
        if 0 <= at < end:
            end = at
    host = rest[:end].rpartition("@")[2].partition(":")[0].rstrip(".")
    return host.removeprefix("www."), rest[end:].partition("?")[0].partition("#")[0].lstrip("/")


Found = tuple[Program, Trace]


class Joiner:
    """Look-ups over the traces of many programs. ``match`` and ``match_file`` never raise for what evidence holds."""

    def __init__(self, programs: Iterable[Program]) -> None:
        self._names: dict[str, list[tuple[tuple[str, ...], bool, Found]]] = {}
        self._phrases: dict[str, list[tuple[tuple[str, ...], Found]]] = {}
        self._paths: dict[str, list[tuple[tuple[str, ...], Found]]] = {}
        self._keys: dict[str, list[tuple[tuple[str, ...], Found]]] = {}
        self._prefixes: dict[str, list[tuple[str, Found]]] = {}
        self._sites: dict[str, list[tuple[str, Found]]] = {}
        self._exact: dict[str, dict[str, list[Found]]] = {
            kind: {} for kind in ("exe", "package", "bundle", "extension", "service", "driver", "appid", "yara")
        }
        for program in programs:
            for trace in program.traces:
                self._add(program, trace)
        for name, found in list(self._exact["exe"].items()):
            if len(name) > _PREFETCH_NAME:
                self._exact["exe"].setdefault(name[:_PREFETCH_NAME], []).extend(found)
        self._hosts: dict[str, list[tuple[str, Found]]] = {}
        self._folders: dict[str, list[Found]] = {}
        self._by_type: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Hit]]] = {
            "InstalledProgram": self._installed,
            "ProgramRun": self._run,
            "StartupItem": self._startup,
            "FileSeen": self._file_seen,
            "DeletedFile": self._deleted,
            "Download": self._download,
            "SearchQuery": self._search,
            "PageVisit": self._visit,
            "Bookmark": self._visit,
            "AccountUse": self._account,
            "YaraMatch": self._yara,
            "RegistryRemnant": self._registry,
            "RegistryTrace": self._registry,
            "SharedFile": self._shared,
        }

    @property
    def types(self) -> tuple[str, ...]:
        """The observation types that can hold a trace."""
        return tuple(self._by_type)

    def match(self, observation: Mapping[str, Any]) -> list[Hit]:
        """The traces in an observation as journalled, each once."""
        find = self._by_type.get(observation["type"])
        hits = list(find(observation)) if find is not None else []
        return list(dict.fromkeys(hits)) if len(hits) > 1 else hits

    def match_file(self, path: str, *, folder: bool = False, allocated: bool = True) -> list[Hit]:
        """The traces that a listed file or folder is itself (not: that it lies in). ``path``: ``/`` between parts."""
        lower = path.lower()
        before, _, name = lower.rpartition("/")
        seen = PRESENT if allocated else DELETED
        hits: list[Hit] = []
        rules = self._paths.get(name)
        if rules:
            parents = parts(before)
            hits += [Hit(*found, seen) for above, found in rules if not above or tuple(parents[-len(above) :]) == above]
        if folder:
            bundle = self._exact["bundle"].get(name) if "." in name else None  # an id of one word is a common word too
            return hits + [Hit(*found, seen) for found in bundle or ()]
        programs = self._exact["exe"].get(name)
        if programs and ("." in name or before.rpartition("/")[2] in _PROGRAM_FOLDERS):
            hits += [Hit(*found, seen) for found in programs]
        stem, dot, ending = name.rpartition(".")
        if not dot:
            return hits
        if ending in _PACKED:
            hits += [Hit(*found, DOWNLOADED) for found in self._packed(name)]
        elif ending == "pf":
            hits += [Hit(*found, RUN) for found in self._prefetch(name)]
        elif ending in ("automaticdestinations-ms", "customdestinations-ms"):
            hits += [Hit(*found, RUN) for found in self._exact["appid"].get(stem, ())]
        elif ending in ("plist", "savedstate", "apk"):
            hits += [Hit(*found, SETTINGS) for found in self._exact["bundle"].get(stem, ())]
        return hits

    # --- building ----------------------------------------------------------------------------------------------------------------

    def _add(self, program: Program, trace: Trace) -> None:
        found = (program, trace)
        value = trace.value.casefold()
        match trace.kind:
            case "installed":
                tokens = _without_version(words(value.removesuffix("*")))
                self._names.setdefault(tokens[0], []).append((tokens, value.endswith("*"), found))
            case "search":
                tokens = words(value)
                self._phrases.setdefault(tokens[0], []).append((tokens, found))
            case "path" | "registry":
                *above, last = value.split("/")
                table = self._paths if trace.kind == "path" else self._keys
                table.setdefault(last, []).append((tuple(above), found))
            case "download":
                self._prefixes.setdefault(value[:3], []).append((value.removesuffix("*"), found))
            case "site" | "web":
                host, _, path = value.partition("/")
                self._sites.setdefault(host.removeprefix("www."), []).append((path, found))
            case kind:
                self._exact[kind].setdefault(value, []).append(found)

    # --- look-ups ----------------------------------------------------------------------------------------------------------------

    def _named(self, name: Any) -> Iterator[Found]:
        if not isinstance(name, str):
            return
        tokens = _without_version(words(name[:200]))
        for wanted, begins, found in self._names.get(tokens[0], ()) if tokens else ():
            if tokens == wanted or (begins and tokens[: len(wanted)] == wanted):
                yield found

    def _packed(self, name: str) -> Iterator[Found]:
        for prefix, found in self._prefixes.get(name[:3], ()):
            if name.startswith(prefix):
                yield found

    def _prefetch(self, name: str) -> Sequence[Found]:
        match = _PREFETCH.fullmatch(name)
        return self._exact["exe"].get(match[1], ()) if match else ()

    def _in_path(self, components: list[str], table: dict[str, list[tuple[tuple[str, ...], Found]]]) -> Iterator[Found]:
        """Traces that end anywhere in the path."""
        for index, component in enumerate(components):
            for above, found in table.get(component, ()):
                if not above or tuple(components[max(0, index - len(above)) : index]) == above:
                    yield found

    def _program_file(self, path: Any, seen: str) -> Iterator[Hit]:
        """Hits in a remembered path: the folders it lies in, which are asked for once each, and its own name."""
        if not isinstance(path, str) or not path:
            return
        folder, _, name = path[:2000].replace("\\", "/").casefold().rstrip("/").rpartition("/")
        around = self._folders.get(folder)
        if around is None:
            around = self._around(folder)
        for found in around:
            yield Hit(*found, seen)
        rules = self._paths.get(name)
        if rules:
            above_it = parts(folder)
            for above, found in rules:
                if not above or tuple(above_it[-len(above) :]) == above:
                    yield Hit(*found, seen)
        programs = self._exact["exe"].get(name)
        if programs and ("." in name or seen == RUN or folder.rpartition("/")[2] in _PROGRAM_FOLDERS):
            for found in programs:
                yield Hit(*found, seen)
        if seen != RUN and name[:3] in self._prefixes and name.rpartition(".")[2] in _PACKED:
            for found in self._packed(name):
                yield Hit(*found, seen)

    def _around(self, folder: str) -> list[Found]:
        """The traces in the path of a folder, kept for the next file in it."""
        if len(self._folders) >= _CACHED:
            self._folders.clear()
        components = parts(folder)
        around = [*self._in_path(components, self._paths)]
        around += [found for component in components if "." in component for found in self._exact["bundle"].get(component, ())]
        self._folders[folder] = around
        return around

    def _site(self, url: Any) -> Sequence[Found]:
        if not isinstance(url, str):
            return ()
        origin = url[: url.find("/", 8)] if "/" in url[8:300] else url[:300]
        rules = self._hosts.get(origin)
        if rules is None:
            rules = self._host(origin)
        if not rules:
            return ()
        path = host_and_path(url)[1]
        return [found for below, found in rules if not below or path == below or path.startswith(below + "/")]

    def _host(self, origin: str) -> list[tuple[str, Found]]:
        """The sites of a host and of those above it, kept for the next page of it."""
        if len(self._hosts) >= _CACHED:
            self._hosts.clear()
        rest = host_and_path(origin)[0]
        rules = self._hosts[origin] = []
        while rest:
            rules += self._sites.get(rest, ())
            rest = rest.partition(".")[2]
        return rules

    # --- by type of observation --------------------------------------------------------------------------------------------------

    def _installed(self, item: Mapping[str, Any]) -> Iterator[Hit]:
        identity, name, how = (str(item.get(field) or "").casefold() for field in ("identifier", "name", "how"))
        if how.startswith("extension"):
            yield from (Hit(*found, EXTENSION) for found in self._exact["extension"].get(identity, ()))
            return
        seen = UNINSTALLED if item.get("enabled") is False else INSTALLED
        if not any(word in how for word in _LISTS_OF_PACKAGES):
            yield from (Hit(*found, seen) for found in self._named(name))
        yield from (Hit(*found, seen) for found in self._exact["bundle"].get(identity, ()))
        if any(word in how for word in _PACKAGES):
            for value in dict.fromkeys((name, identity, name.partition(":")[0])):
                yield from (Hit(*found, seen) for found in self._exact["package"].get(value, ()))
        if "service" in how or "driver" in how:
            for kind in ("service", "driver"):
                yield from (Hit(*found, seen) for found in self._exact[kind].get(name, ()))
        yield from self._program_file(item.get("path"), seen)

    def _run(self, item: Mapping[str, Any]) -> Iterator[Hit]:
        program, path = item.get("program"), item.get("path")
        hits = [*self._program_file(path, RUN)]
        if not hits and isinstance(program, str):
            hits += self._program_file(program, RUN)
            if not hits and " " in program:
                hits += self._program_file(_command(program), RUN)
            if not hits and "." not in program and "/" not in program and "\\" not in program:
                hits += [Hit(*found, RUN) for found in self._named(program)]
            if not hits:
                hits += [Hit(*found, RUN) for found in self._exact["bundle"].get(program.casefold().partition("_")[0], ())]
        for hit in hits:
            # What lies in a program's folder is not always the program (its uninstaller ran, say), but says that the folder was there.
            folder = hit.trace.kind == "path" and not hit.trace.value.casefold().endswith(".app")
            yield hit._replace(seen=REMEMBERED) if folder else hit

    def _startup(self, item: Mapping[str, Any]) -> Iterator[Hit]:
        name, how = str(item.get("name") or "").casefold(), str(item.get("how") or "")
        if how in ("service", "driver"):
            yield from (Hit(*found, STARTS) for kind in ("service", "driver") for found in self._exact[kind].get(name, ()))
        command = item.get("command")
        if isinstance(command, str) and command:
            yield from self._program_file(_command(command), STARTS)

    def _file_seen(self, item: Mapping[str, Any]) -> Iterator[Hit]:
        yield from self._program_file(item.get("path"), REMEMBERED)
        where = (item.get("provenance") or {}).get("path") or ""
        if where.endswith("Destinations-ms"):
            stem = where.rpartition("/")[2].partition(".")[0].lower()
            yield from (Hit(*found, RUN) for found in self._exact["appid"].get(stem, ()))

    def _deleted(self, item: Mapping[str, Any]) -> Iterator[Hit]:
        path = item.get("path")
        yield from self._program_file(path, DELETED)
        if isinstance(path, str) and path.lower().endswith(".pf"):
            yield from (Hit(*found, RUN) for found in self._prefetch(parts(path)[-1]))

    def _download(self, item: Mapping[str, Any]) -> Iterator[Hit]:
        path, url = item.get("path"), item.get("url")
        hits = [*self._program_file(path, DOWNLOADED)]
        if isinstance(url, str) and not any(hit.trace.kind == "download" for hit in hits):
            name = host_and_path(url)[1].rpartition("/")[2]
            if name.rpartition(".")[2] in _PACKED:
                hits += [Hit(*found, DOWNLOADED) for found in self._packed(name)]
                hits += [Hit(*found, DOWNLOADED) for found in self._exact["exe"].get(name, ())]
        # From the maker's site any file: what it is called changes from one version to the next.
        yield from hits
        packed = str(path or url or "").rpartition(".")[2].lower() in _PACKED
        for found in self._site(url):
            if found[1].kind == "site" and packed:
                yield Hit(*found, DOWNLOADED)

    def _search(self, item: Mapping[str, Any]) -> Iterator[Hit]:
        terms = item.get("terms")
        tokens = words(terms[:400]) if isinstance(terms, str) else ()
        for index, token in enumerate(tokens):
            for wanted, found in self._phrases.get(token, ()):
                if tokens[index : index + len(wanted)] == wanted:
                    yield Hit(*found, SEARCHED)

    def _visit(self, item: Mapping[str, Any]) -> Iterator[Hit]:
        for found in self._site(item.get("url")):
            yield Hit(*found, USED_ONLINE if found[1].kind == "web" else VISITED)

    def _account(self, item: Mapping[str, Any]) -> Iterator[Hit]:
        service = str(item.get("service") or "")
        for found in self._site(service if "://" in service else f"https://{service}/"):
            if found[1].kind == "web":
                yield Hit(*found, ACCOUNT)

    def _yara(self, item: Mapping[str, Any]) -> Iterator[Hit]:
        yield from (Hit(*found, CONTENT) for found in self._exact["yara"].get(str(item.get("rule") or "").casefold(), ()))

    def _registry(self, item: Mapping[str, Any]) -> Iterator[Hit]:
        key = item.get("key")
        if isinstance(key, str):
            yield from (Hit(*found, SETTINGS) for found in self._in_path(parts(key), self._keys))

    def _shared(self, item: Mapping[str, Any]) -> Iterator[Hit]:
        # A torrent file that lies there lists what somebody offers: nobody here need have fetched it, or have a program for it.
        if item.get("state") == "listed" and not item.get("shared"):
            return
        yield from (Hit(*found, SHARED) for found in self._named(item.get("program")))


def _without_version(tokens: tuple[str, ...]) -> tuple[str, ...]:
    end = len(tokens)
    while end > 1 and _VERSION.fullmatch(tokens[end - 1]):
        end -= 1
    return tokens[:end]


def _command(command: str) -> str:
    """The program of a command line, without what may stand before it and behind it."""
    text = command.strip()[:1000]
    if text.startswith('"'):
        return text[1:].partition('"')[0]
    at = text.lower().find(".exe")
    if at >= 0:
        return text[: at + 4]
    for word in text.split():
        if word not in _BEFORE_COMMAND and "=" not in word and not word.startswith("-"):
            return word
    return text
