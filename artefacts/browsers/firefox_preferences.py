"""What a Firefox profile is set to keep: ``prefs.js`` and ``user.js``.

Source: Mozilla's modules/libpref (one ``user_pref("name", value);`` a line, values in JSON's notation) and the preference names in
browser/components/preferences and toolkit/modules/Sanitizer. Only listed names are read.
"""

from __future__ import annotations

import json
import re
from typing import Any

from artefacts.browsers.profiles import FIREFOX, owner
from artefacts.browsers.reading import Results
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import AccountUse, PolicySetting, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, from_unix

LARGEST = 64 << 20  # bytes
_LINE = re.compile(r'^\s*(?:user_|sticky_)?pref\("((?:[^"\\]|\\.){1,500})",\s*(.{1,100000})\);\s*$')

_SETTINGS: tuple[tuple[str, Any, str], ...] = (
    ("privacy.sanitize.sanitizeOnShutdown", True, "browsing data is deleted each time the browser closes"),
    ("privacy.clearOnShutdown.history", True, "history is among what is deleted on closing, if anything is"),
    ("privacy.clearOnShutdown_v2.historyFormDataAndDownloads", True, "history is among what is deleted on closing, if anything is"),
    ("privacy.clearOnShutdown_v2.browsingHistoryAndDownloads", True, "history is among what is deleted on closing, if anything is"),
    ("privacy.clearOnShutdown_v2.cookiesAndStorage", True, "cookies are among what is deleted on closing, if anything is"),
    ("privacy.clearOnShutdown_v2.cache", True, "stored copies of pages are among what is deleted on closing, if anything is"),
    ("privacy.clearOnShutdown_v2.formdata", True, "form history is among what is deleted on closing, if anything is"),
    ("browser.privatebrowsing.autostart", True, "every window is a private window: nothing is kept"),
    ("places.history.enabled", False, "history is not kept"),
    ("browser.formfill.enable", False, "form and search history is not kept"),
    ("network.cookie.lifetimePolicy", 2, "cookies are kept only until the browser closes"),
    ("browser.cache.disk.enable", False, "pages are not stored on the disk"),
    ("network.proxy.type", 1, "traffic goes through another computer (proxy)"),
    ("network.proxy.type", 2, "traffic goes through another computer (proxy script)"),
    ("network.proxy.socks", None, "traffic goes through another computer (SOCKS proxy)"),
    ("network.trr.mode", 3, "names are looked up over an encrypted connection only (DNS over HTTPS)"),
    ("extensions.torbutton.use_nontor_proxy", None, "a setting of Tor Browser"),
)  # fmt: skip


def parse(file: EvidenceFile) -> Results:
    """``PolicySetting``, ``AccountUse`` and ``SystemFact`` of one profile."""
    owned = owner(file, FIREFOX)
    text = file.read(LARGEST).decode("utf-8", "backslashreplace")
    found: dict[str, tuple[int, Any]] = {}
    damaged = 0
    for number, line in enumerate(text.splitlines(), 1):
        matched = _LINE.match(line)
        if matched:
            try:
                found[matched[1]] = (number, json.loads(matched[2]))
            except (ValueError, RecursionError):
                damaged += 1
        elif line.strip().startswith("user_pref"):
            damaged += 1
    if not found and text.strip():
        if "user_pref" not in text and not owned.known:
            yield Problem("in no browser's profile, a file of another program", Status.SKIPPED)
            return
        raise Unrecognised("not a preferences file of Firefox")
    if damaged:
        yield Problem(f"{damaged} lines are damaged and were not read", Status.FAILED)
    for name, wanted, meaning in _SETTINGS:
        number, value = found.get(name, (0, None))
        if number and (wanted is None or (value == wanted and type(value) is type(wanted))):
            yield PolicySetting(
                program=owned.browser,
                setting=name,
                value=json.dumps(value),
                meaning=meaning,
                profile=owned.profile,
                user=owned.user,
                locator=f"line={number}",
            )
    number, account = found.get("services.sync.username", (0, None))
    if isinstance(account, str) and account:
        yield AccountUse(service="browser sign-in", account=account, how="preferences", locator=f"line={number}", **owned.labels)
    number, when = found.get("toolkit.startup.last_success", (0, None))
    if number:
        time = from_unix(when) if isinstance(when, int) else NOT_RECORDED
        yield SystemFact(
            name="browser last started", value=f"{owned.browser}, profile {owned.profile}", time=time, locator=f"line={number}"
        )


ARTEFACTS = (
    Artefact(
        id="browsers.firefox.preferences",
        title="Firefox: preferences",
        meaning="Settings that stop history being kept or clear it on closing, proxies, and the account used for synchronising.",
        paths=("**/prefs.js", "**/user.js"),
        parse=parse,
        references=("https://searchfox.org/mozilla-central/source/modules/libpref",),
        validation="profiles made by Firefox in the tests",
    ),
)
