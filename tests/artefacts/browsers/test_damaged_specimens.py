"""Two hundred damaged copies of each browser specimen: nothing raises, files are not lost without a word, sound records stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Encrypted, Problem, Unrecognised
from artefacts.matching import PathMatcher
from artefacts.registry import all_artefacts

pytestmark = [pytest.mark.specimens, pytest.mark.slow]

COPIES = 200
SILENT = 5  # copies: a page whose count of cells is zeroed is an empty page, and nothing in the file says otherwise

# Where each lies, and the share of its records that must be left in the mean of all copies. A file of JSON is whole or nothing.
FILES = {
    "browser/hindsight/01/History": ("/home/jo/.config/google-chrome/Default/History", 0.6),
    "browser/hindsight/10/History": ("/home/jo/.config/google-chrome/Default/History", 0.6),
    "browser/hindsight/30/History": ("/home/jo/.config/google-chrome/Default/History", 0.6),
    "browser/dfirlabs-chrome/history/History-48.0.2564.109": ("/home/jo/.config/google-chrome/Default/History", 0.7),
    "browser/plaso-chrome/Cookies-68.0.3440.106": ("/home/jo/.config/google-chrome/Default/Cookies", 0.5),
    "browser/plaso-chrome/cookies.db": ("/home/jo/.config/google-chrome/Default/Cookies", 0.6),
    "browser/plaso-chrome/Extension Activity": ("/home/jo/.config/google-chrome/Default/Extension Activity", 0.3),
    "browser/plaso-firefox/firefox_history/places.sqlite": ("/home/jo/.mozilla/firefox/x.default/places.sqlite", 0.4),
    "browser/plaso-firefox/firefox_cookies/firefox_2_cookies.sqlite": ("/home/jo/.mozilla/firefox/x.default/cookies.sqlite", 0.4),
    "browser/plaso-firefox/firefox_cache/firefox3/_CACHE_001_": ("/home/jo/.cache/mozilla/firefox/x.default/Cache/_CACHE_001_", 0.5),
    "browser/plaso-firefox/firefox_cache/cache2/1F4B3A4FC81FB19C530758231FA54313BE8F6FA2": (
        "/home/jo/.cache/mozilla/firefox/x.default/cache2/entries/1F4B",
        0.3,
    ),
    "browser/plaso-safari/History.plist": ("/Users/jo/Library/Safari/History.plist", 0.02),
    "browser/plaso-safari/Downloads.plist": ("/Users/jo/Library/Safari/Downloads.plist", 0.02),
    "browser/plaso-ie-opera/MSHist012013031020130311-index.dat": (
        "/Users/jo/AppData/Local/Microsoft/Windows/History/History.IE5/MSHist01/index.dat",
        0.4,
    ),
    "browser/plaso-chrome/Preferences": ("/home/jo/.config/google-chrome/Default/Preferences", 0.02),
    "browser/plaso-firefox/downloads.sqlite": ("/home/jo/.mozilla/firefox/x.default/downloads.sqlite", 0.1),
    "browser/plaso-safari/Cookies.binarycookies": ("/Users/jo/Library/Cookies/Cookies.binarycookies", 0.6),
    "browser/plaso-ie-opera/index.dat": ("/Users/jo/AppData/Local/Microsoft/Windows/History/History.IE5/index.dat", 0.65),
    "browser/plaso-ie-opera/global_history.dat": ("/Users/jo/AppData/Roaming/Opera/Opera/global_history.dat", 0.4),
    "browser/plaso-ie-opera/typed_history.xml": ("/Users/jo/AppData/Roaming/Opera/Opera/typed_history.xml", 0.25),
}


def read(evidence: Any, place: str, data: bytes) -> tuple[Counter[str], bool]:
    """What the browsers' parsers make of a file, as a tally of records, and whether any of them reported something."""
    file = evidence({place: data}).file(place)
    tally: Counter[str] = Counter()
    reported = False
    for artefact in PathMatcher([item for item in all_artefacts() if item.id.startswith("browsers.")]).match(place):
        try:
            for item in artefact.parse(file):
                if isinstance(item, Problem):
                    reported = True
                elif not item.recovered:
                    tally[repr(item)] += 1
        except (Unrecognised, Encrypted):
            reported = True
    return tally, reported


@pytest.mark.parametrize("name", FILES)
def test_two_hundred_damaged_copies(evidence: Any, specimens: Path, mutations: Callable[[bytes, int], list[bytes]], name: str) -> None:
    data = (specimens / name).read_bytes()
    place, share = FILES[name]
    whole, reported = read(evidence, place, data)
    assert whole and not reported
    kept = silent = 0
    for copy in mutations(data, COPIES):
        tally, reported = read(evidence, place, copy)
        kept += (tally & whole).total()
        silent += not reported and not tally
    assert silent <= SILENT, "everything was lost without a word"
    assert kept >= share * whole.total() * COPIES
