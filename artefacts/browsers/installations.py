"""Which browsers were used, in which version, and where the program lay: for browsers run from a stick or made to hide their user.

Sources: Mozilla's toolkit/xre/nsAppRunner.cpp (``compatibility.ini``, written at each start of a new version); Chromium's
chrome/browser/first_run and chrome/installer (``Last Version``, the version that last wrote the folder).
"""

from __future__ import annotations

import configparser
import re

from artefacts.browsers.profiles import CHROMIUM, FIREFOX, owner
from artefacts.browsers.reading import Results
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import InstalledProgram
from artefacts.registry import Artefact, EvidenceFile

LARGEST = 1 << 16  # bytes
PROFILE = "profile of a browser"
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,6}){1,4}\s*")


def parse_firefox(file: EvidenceFile) -> Results:
    """One ``InstalledProgram``: ``path`` is the folder that the program was last started from."""
    owned = owner(file, FIREFOX)
    text = file.read(LARGEST).decode("utf-8", "backslashreplace")
    ini = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        ini.read_string(text)
        facts = dict(ini["Compatibility"])
    except (configparser.Error, KeyError, ValueError) as error:
        if not owned.known:
            yield Problem("in no browser's profile, a file of another program", Status.SKIPPED)
            return
        raise Unrecognised("not a compatibility file of Firefox") from error
    yield InstalledProgram(
        name=owned.browser,
        version=facts.get("lastversion", "").partition("_")[0] or None,
        path=facts.get("lastplatformdir"),
        user=owned.user,
        how=PROFILE,
        locator="Compatibility",
    )


def parse_chromium(file: EvidenceFile) -> Results:
    """One ``InstalledProgram`` for a folder of profiles."""
    owned = owner(file, CHROMIUM)
    text = file.read(LARGEST).decode("utf-8", "backslashreplace")
    if not _VERSION.fullmatch(text):
        if not owned.known:
            yield Problem("in no browser's profile, a file of another program", Status.SKIPPED)
            return
        raise Unrecognised("holds no version of a browser")
    yield InstalledProgram(name=owned.browser, version=text.strip(), user=owned.user, how=PROFILE, locator="offset=0")


ARTEFACTS = (
    Artefact(
        id="browsers.firefox.installation",
        title="Firefox: version and place of the program",
        meaning="Which browser of the Firefox family used this profile, its version, and the folder it was started from.",
        paths=("**/compatibility.ini",),
        parse=parse_firefox,
        references=("https://searchfox.org/mozilla-central/source/toolkit/xre/nsAppRunner.cpp",),
        validation="profiles made by Firefox in the tests",
    ),
    Artefact(
        id="browsers.chromium.installation",
        title="Chromium browsers: version",
        meaning="Which browser of the Chromium family used this folder, and its version.",
        paths=("**/Last Version",),
        parse=parse_chromium,
        references=("https://chromium.googlesource.com/chromium/src/+/main/chrome/common/chrome_constants.cc",),
        validation="profiles made by Chromium in the tests",
    ),
)
