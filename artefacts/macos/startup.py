"""What a Mac starts by itself: launch agents and daemons, login items, old startup items.

Login items: ``com.apple.loginitems.plist`` until macOS 10.12, ``backgrounditems.btm`` (a keyed archive with bookmark data) until 12,
``BackgroundItems-v*.btm`` since 13.

Sources: ``man launchd.plist``; bookmark data in ``bookmarks.py``; specimens of each kind but the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.macos.bookmarks import target
from artefacts.macos.property_lists import dicts, table, text, tree, unarchived
from artefacts.observations import Observation, StartupItem
from artefacts.registry import Artefact, EvidenceFile

Results = Iterator[Observation | Problem]

_STARTS = {
    "RunAtLoad": "when loaded", "KeepAlive": "kept running", "StartInterval": "at intervals", "StartCalendarInterval": "at set times",
    "StartOnMount": "when a volume is mounted", "WatchPaths": "when a path changes", "QueueDirectories": "when a folder is filled",
}  # fmt: skip
_MOST = 2000


def parse_launchd(file: EvidenceFile) -> Results:
    """One ``StartupItem`` for a launch agent or daemon; of its arguments only the program is kept."""
    job = table(file)
    label, arguments = text(job.get("Label")), job.get("ProgramArguments")
    program = text(job.get("Program")) or (text(arguments[0]) if isinstance(arguments, list) and arguments else None)
    if label is None and program is None:
        raise Unrecognised("a property list, but not of a launch agent or daemon")
    starts = [words for key, words in _STARTS.items() if job.get(key)]
    if job.get("Disabled") is True:
        starts.append("disabled")
    yield StartupItem(
        name=label or program or file.name,
        command=program,
        start=", ".join(starts) or "on demand",
        user=text(job.get("UserName")) or file.user,
        how="launch daemon" if "/launchdaemons/" in file.path.lower() else "launch agent",
    )


def parse_login_items(file: EvidenceFile) -> Results:
    """``StartupItem`` for each login item of a user."""
    session = table(file).get("SessionItems")
    for number, item in enumerate(dicts(session.get("CustomListItems") if isinstance(session, dict) else None)):
        found = target(item.get("Alias"))
        yield StartupItem(
            name=text(item.get("Name")) or (found.path.rsplit("/", 1)[-1] if found else "[no name]"),
            command=found.path if found else None,
            start="at sign-in",
            user=file.user,
            how="login item",
            locator=f"SessionItems/CustomListItems[{number}]",
        )


def parse_background_items(file: EvidenceFile) -> Results:
    """``StartupItem`` for each program of ``backgrounditems.btm`` or ``BackgroundItems-v*.btm``."""
    try:
        root = unarchived(tree(file))
    except ValueError as error:
        raise Unrecognised(str(error)) from error
    told: set[str] = set()
    visited = 0
    stack: list[Any] = [root]
    while stack and visited < _MOST * 100 and len(told) < _MOST:
        node, visited = stack.pop(), visited + 1
        if isinstance(node, list):
            stack.extend(reversed(node))
        elif isinstance(node, dict):
            stack.extend(reversed(list(node.values())))
            path = text(node.get("executablePath")) or text(node.get("url"))
            if path and path not in told and "identifier" in node:
                told.add(path)
                yield StartupItem(
                    name=text(node.get("name")) or path.rsplit("/", 1)[-1],
                    command=path,
                    start="at sign-in or in the background",
                    user=file.user,
                    how=f"background item ({text(node.get('developerName')) or 'maker not recorded'})",
                    locator=str(text(node.get("identifier")) or ""),
                )
        elif (found := target(node)) is not None and found.path not in told:
            told.add(found.path)
            yield StartupItem(name=found.path.rsplit("/", 1)[-1], command=found.path, start="at sign-in", user=file.user, how="login item")
    if stack:
        yield Problem("more items than are kept", Status.FAILED)


def parse_startup_item(file: EvidenceFile) -> Results:
    """One ``StartupItem`` for a startup item of before OS X 10.10."""
    parameters = table(file)
    provides = parameters.get("Provides")
    name = text(provides[0]) if isinstance(provides, list) and provides else None
    yield StartupItem(
        name=name or file.path.split("/")[-2],
        command=file.path.rsplit("/", 1)[0],
        start="at start-up",
        how=f"startup item: {text(parameters.get('Description')) or 'not described'}",
    )


_LAUNCHD = "https://keith.github.io/xcode-man-pages/launchd.plist.5.html"

ARTEFACTS = (
    Artefact(
        id="macos.launchd",
        title="Launch agents and daemons",
        meaning="Programs that the Mac starts by itself; those in Library folders were added by a user or a program.",
        paths=("**/Library/LaunchAgents/*.plist", "**/Library/LaunchDaemons/*.plist"),
        parse=parse_launchd,
        references=(_LAUNCHD,),
        systems=("macos",),
        validation="specimens; generated",
    ),
    Artefact(
        id="macos.login_items",
        title="Login items before macOS 10.13",
        meaning="Programs that start when this user signs in.",
        paths=("**/Library/Preferences/com.apple.loginitems.plist",),
        parse=parse_login_items,
        references=("https://support.apple.com/guide/mac-help/mtusr003/mac",),
        systems=("macos",),
        validation="specimen; generated",
    ),
    Artefact(
        id="macos.background_items",
        title="Login and background items",
        meaning="Programs that start when a user signs in, or run in the background.",
        paths=("**/backgrounditems.btm", "**/com.apple.backgroundtaskmanagement/*.btm", "**/BackgroundItems-v*.btm"),
        parse=parse_background_items,
        references=("https://support.apple.com/guide/mac-help/mtusr003/mac",),
        systems=("macos",),
        validation="specimen of macOS 10.13; generated",
    ),
    Artefact(
        id="macos.startup_items",
        title="Startup items before OS X 10.10",
        meaning="Services that an old Mac starts by itself.",
        paths=("**/StartupItems/*/StartupParameters.plist",),
        parse=parse_startup_item,
        references=("https://developer.apple.com/library/archive/documentation/MacOSX/Conceptual/BPSystemStartup/",),
        systems=("macos",),
        validation="specimen; generated",
    ),
)
