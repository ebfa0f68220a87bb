"""What a Firefox profile says of itself: when it was made, its extensions, its containers, and the sites that keep data in it.

Sources: Mozilla's toolkit/modules/ProfileAge.sys.mjs (``times.json``, Unix milliseconds), toolkit/mozapps/extensions/internal/XPIDatabase.sys.mjs
(``extensions.json``), toolkit/components/contextualidentity (``containers.json``), dom/quota (``.metadata-v2``: PRTime and the origin,
big-endian), security/manager/ssl (``SiteSecurityServiceState.txt``: name, score, day since 1970, state).
"""

from __future__ import annotations

import json
import re
from typing import Any

from artefacts.browsers.profiles import FIREFOX, owner
from artefacts.browsers.reading import Results
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import InstalledProgram, SiteTrace, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, from_prtime, from_unix

LARGEST = 64 << 20  # bytes
_MILLISECOND = 1_000_000  # nanoseconds
_DAY = 86_400


def _object(file: EvidenceFile) -> dict[str, Any] | Problem | None:
    """The object in a file of JSON; a ``Problem`` where it is damaged, None where it is empty. Raises ``Unrecognised``."""
    data = file.read(LARGEST + 1)
    if not data.strip():
        return None
    if not data.lstrip().startswith(b"{"):
        raise Unrecognised("not a file of JSON")
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        return Problem(f"damaged ({error}): not read", Status.FAILED)
    return tree if isinstance(tree, dict) else Problem("holds no object", Status.FAILED)


def _milliseconds(value: object) -> Time:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return from_unix(value, unit_ns=_MILLISECOND)
    return NOT_RECORDED if value is None else NoTime("not a number")


def parse_times(file: EvidenceFile) -> Results:
    """``SystemFact``: when the profile was made, first used and reset."""
    owned, tree = owner(file, FIREFOX), _object(file)
    if not isinstance(tree, dict):
        if tree is not None:
            yield tree
        return
    if not {"created", "firstUse", "reset"} & set(tree):
        if owned.known:
            raise Unrecognised("not the times of a Firefox profile")
        yield Problem("in no browser's profile, a file of another program", Status.SKIPPED)
        return
    for key, name in (
        ("created", "browser profile created"),
        ("firstUse", "browser profile first used"),
        ("reset", "browser profile reset"),
    ):
        if tree.get(key) is not None:
            yield SystemFact(name=name, value=f"{owned.browser}, profile {owned.profile}", time=_milliseconds(tree[key]), locator=key)


def parse_extensions(file: EvidenceFile) -> Results:
    """``InstalledProgram`` for each extension that did not come with the browser."""
    owned, tree = owner(file, FIREFOX), _object(file)
    if not isinstance(tree, dict):
        if tree is not None:
            yield tree
        return
    addons = tree.get("addons")
    if not isinstance(addons, list):
        if owned.known:
            raise Unrecognised("not a list of extensions of Firefox")
        yield Problem("in no browser's profile, a file of another program", Status.SKIPPED)
        return
    for index, addon in enumerate(addons):
        if (
            not isinstance(addon, dict)
            or str(addon.get("location", "")).startswith("app-builtin")
            or addon.get("location") == "app-system-defaults"
        ):
            continue
        local = addon.get("defaultLocale")
        name = local.get("name") if isinstance(local, dict) else None
        creator = local.get("creator") if isinstance(local, dict) else None
        active = addon.get("active")
        yield InstalledProgram(
            name=name if isinstance(name, str) else str(addon.get("id")),
            version=addon["version"] if isinstance(addon.get("version"), str) else None,
            publisher=creator if isinstance(creator, str) else None,
            installed=_milliseconds(addon.get("installDate")),
            identifier=str(addon.get("id")),
            path=addon["path"] if isinstance(addon.get("path"), str) else None,
            enabled=active if isinstance(active, bool) else None,
            user=owned.user,
            how=f"extension of {owned.browser}",
            locator=f"addons[{index}]",
        )


def parse_containers(file: EvidenceFile) -> Results:
    """``SystemFact`` for each container that somebody made: tabs in it keep cookies of their own."""
    owned, tree = owner(file, FIREFOX), _object(file)
    if not isinstance(tree, dict):
        if tree is not None:
            yield tree
        return
    identities = tree.get("identities")
    for index, item in enumerate(identities if isinstance(identities, list) else ()):
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name and item.get("public") is True:
            yield SystemFact(
                name="browser container", value=f"{owned.browser}, profile {owned.profile}: {name}", locator=f"identities[{index}]"
            )


def parse_storage(file: EvidenceFile) -> Results:
    """One ``SiteTrace``: the site that the folder belongs to, and when it last used its storage."""
    owned = owner(file, FIREFOX)
    folder = file.path.rsplit("/", 2)[-2]
    data = file.read(64)
    if len(data) < 8:
        if data:
            yield Problem("cut short", Status.FAILED)
        return
    site = folder.partition("^")[0].replace("+++", "://", 1)
    yield SiteTrace(
        url=re.sub(r"\+(\d+)$", r":\1", site),
        what="storage of the site (time of the last use)",
        time=from_prtime(int.from_bytes(data[:8], "big", signed=True)),
        locator=f"folder={folder}",
        **owned.labels,
    )


def parse_secure_sites(file: EvidenceFile) -> Results:
    """``SiteTrace`` for each site that asked to be opened over an encrypted connection only; the day is that of its last visit."""
    owned = owner(file, FIREFOX)
    for number, line in enumerate(file.read(LARGEST).decode("utf-8", "backslashreplace").splitlines(), 1):
        parts = line.split("\t")
        if len(parts) < 4 or not parts[2].isdigit():
            if line.strip("\0 "):
                yield Problem("a line is damaged", Status.FAILED, f"line={number}")
            continue
        yield SiteTrace(
            url=parts[0].partition(":")[0].partition("^")[0],
            what="secure site (day it was last opened)",
            time=from_unix(int(parts[2]) * _DAY),
            locator=f"line={number}",
            **owned.labels,
        )


def _artefact(name: str, title: str, meaning: str, paths: tuple[str, ...], parse: Any, source: str) -> Artefact:
    return Artefact(
        id=f"browsers.firefox.{name}",
        title=f"Firefox: {title}",
        meaning=meaning,
        paths=paths,
        parse=parse,
        references=(f"https://searchfox.org/mozilla-central/source/{source}",),
        validation="profiles made by Firefox in the tests",
    )


ARTEFACTS = (
    _artefact("profile_age", "age of the profile", "When the profile was made and first used.", ("**/times.json",), parse_times, "toolkit/modules/ProfileAge.sys.mjs"),
    _artefact(
        "extensions", "extensions", "Programs that were added to the browser, and when.", ("**/extensions.json",), parse_extensions,
        "toolkit/mozapps/extensions/internal/XPIDatabase.sys.mjs",
    ),
    _artefact(
        "containers", "containers", "Groups of tabs that somebody made to keep sites apart.", ("**/containers.json",), parse_containers,
        "toolkit/components/contextualidentity",
    ),
    _artefact(
        "storage", "sites that use storage", "Sites that keep data in the browser, and when they last used it. What was stored is not read.",
        ("**/storage/*/*/.metadata-v2",), parse_storage, "dom/quota",
    ),
    _artefact(
        "secure_sites", "days of secure sites", "Sites that asked for encrypted connections, and the day they were last opened.",
        ("**/SiteSecurityServiceState.txt",), parse_secure_sites, "security/manager/ssl",
    ),
)  # fmt: skip
