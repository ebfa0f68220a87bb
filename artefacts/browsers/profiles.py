"""Browsers as data: where each keeps its profiles, and whose profile a file belongs to. Adding a browser is one line.

A root is a piece of path, ``/`` between parts, ``*`` for anything inside one part; it is looked for anywhere in a path, so that
other drives, mounted homes, flatpaks and backups need no line of their own. What follows the root up to the file is the profile.

Locations: the browsers' own documentation (chromium.org "User Data Directory", support.mozilla.org "Profiles"), and the folders
seen on installations of the versions of 2011 to 2026.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TypedDict

from artefacts.registry import EvidenceFile

CHROMIUM, FIREFOX, SAFARI = "chromium", "firefox", "safari"


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser and the roots of its profile folders: Windows, macOS and Linux in that order."""

    name: str
    family: str
    roots: tuple[str, ...]


_LOCAL, _ROAMING, _SUPPORT = "AppData/Local/", "AppData/Roaming/", "Library/Application Support/"
_XP_LOCAL, _XP_ROAMING = "Local Settings/Application Data/", "Application Data/"

BROWSERS: tuple[Browser, ...] = (
    Browser("Chrome", CHROMIUM, (_LOCAL + "Google/Chrome/User Data", _XP_LOCAL + "Google/Chrome/User Data", _SUPPORT + "Google/Chrome", ".config/google-chrome", "config/google-chrome", "Library/Caches/Google/Chrome", ".cache/google-chrome")),
    Browser("Chrome Beta", CHROMIUM, (_LOCAL + "Google/Chrome Beta/User Data", _SUPPORT + "Google/Chrome Beta", ".config/google-chrome-beta")),
    Browser("Chrome Dev", CHROMIUM, (_LOCAL + "Google/Chrome Dev/User Data", _SUPPORT + "Google/Chrome Dev", ".config/google-chrome-unstable")),
    Browser("Chrome Canary", CHROMIUM, (_LOCAL + "Google/Chrome SxS/User Data", _SUPPORT + "Google/Chrome Canary")),
    Browser("Chrome for Testing", CHROMIUM, (_LOCAL + "Google/Chrome for Testing/User Data", _SUPPORT + "Google/Chrome for Testing", ".config/google-chrome-for-testing")),
    Browser("ChromeOS", CHROMIUM, ("home/.shadow/*/mount/user", "home/chronos/user")),
    Browser("Chrome for Android", CHROMIUM, ("com.android.chrome/app_chrome", "com.chrome.*/app_chrome")),
    Browser("Chromium", CHROMIUM, (_LOCAL + "Chromium/User Data", _XP_LOCAL + "Chromium/User Data", _SUPPORT + "Chromium", ".config/chromium", "snap/chromium/*/chromium", "config/chromium", "Library/Caches/Chromium", ".cache/chromium")),
    Browser("Edge", CHROMIUM, (_LOCAL + "Microsoft/Edge/User Data", _SUPPORT + "Microsoft Edge", ".config/microsoft-edge", "config/microsoft-edge", "Library/Caches/Microsoft Edge", ".cache/microsoft-edge")),
    Browser("Edge Beta, Dev or Canary", CHROMIUM, (_LOCAL + "Microsoft/Edge */User Data", _SUPPORT + "Microsoft Edge *", ".config/microsoft-edge-*")),
    Browser("Brave", CHROMIUM, (_LOCAL + "BraveSoftware/Brave-Browser*/User Data", _SUPPORT + "BraveSoftware/Brave-Browser*", "BraveSoftware/Brave-Browser*")),
    Browser("Opera", CHROMIUM, (_ROAMING + "Opera Software/Opera *", _LOCAL + "Opera Software/Opera *", _SUPPORT + "com.operasoftware.Opera*", ".config/opera*")),
    Browser("Opera GX", CHROMIUM, (_ROAMING + "Opera Software/Opera GX *", _LOCAL + "Opera Software/Opera GX *", _SUPPORT + "com.operasoftware.OperaGX*")),
    Browser("Opera Neon", CHROMIUM, (_LOCAL + "MenuBar/Opera Neon/User Data", _SUPPORT + "com.opera.Neon")),
    Browser("Vivaldi", CHROMIUM, (_LOCAL + "Vivaldi/User Data", _SUPPORT + "Vivaldi", ".config/vivaldi*")),
    Browser("Yandex", CHROMIUM, (_LOCAL + "Yandex/YandexBrowser*/User Data", _SUPPORT + "Yandex/YandexBrowser*", ".config/yandex-browser*")),
    Browser("Arc", CHROMIUM, (_LOCAL + "Packages/TheBrowserCompany.Arc*/LocalCache/Local/Arc/User Data", _SUPPORT + "Arc/User Data")),
    Browser("Dia", CHROMIUM, (_SUPPORT + "Dia/User Data",)),
    Browser("DuckDuckGo", CHROMIUM, (_LOCAL + "Packages/DuckDuckGo.DesktopBrowser*/LocalState/EBWebView", _LOCAL + "DuckDuckGo/EBWebView")),
    Browser("Comodo Dragon", CHROMIUM, (_LOCAL + "Comodo/Dragon/User Data",)),
    Browser("Epic Privacy Browser", CHROMIUM, (_LOCAL + "Epic Privacy Browser/User Data", _SUPPORT + "HiddenReflex/Epic")),
    Browser("SRWare Iron", CHROMIUM, (_LOCAL + "SRWare Iron/User Data", ".config/iron")),
    Browser("Ungoogled Chromium", CHROMIUM, (".var/app/io.github.ungoogled_software.ungoogled_chromium/config/chromium", "Ungoogled Chromium/User Data")),
    Browser("Thorium", CHROMIUM, (_LOCAL + "Thorium/User Data", _SUPPORT + "Thorium", ".config/thorium")),
    Browser("CentBrowser", CHROMIUM, (_LOCAL + "CentBrowser/User Data",)),
    Browser("Coc Coc", CHROMIUM, (_LOCAL + "CocCoc/Browser/User Data", _SUPPORT + "Coccoc")),
    Browser("360 browser", CHROMIUM, (_LOCAL + "360Chrome*/Chrome/User Data", _ROAMING + "360se6/User Data", _LOCAL + "360ChromeX/Chrome/User Data")),
    Browser("QQ Browser", CHROMIUM, (_LOCAL + "Tencent/QQBrowser/User Data",)),
    Browser("Whale", CHROMIUM, (_LOCAL + "Naver/Naver Whale/User Data", _SUPPORT + "Naver/Whale")),
    Browser("Avast Secure Browser", CHROMIUM, (_LOCAL + "AVAST Software/Browser/User Data", _SUPPORT + "AVAST Software/Browser")),
    Browser("AVG Secure Browser", CHROMIUM, (_LOCAL + "AVG/Browser/User Data",)),
    Browser("CCleaner Browser", CHROMIUM, (_LOCAL + "CCleaner Browser/User Data",)),
    Browser("Torch", CHROMIUM, (_LOCAL + "Torch/User Data",)),
    Browser("Slimjet", CHROMIUM, (_LOCAL + "Slimjet/User Data", ".config/slimjet")),
    Browser("Sidekick", CHROMIUM, (_LOCAL + "Sidekick/User Data", _SUPPORT + "Sidekick")),
    Browser("Comet", CHROMIUM, (_LOCAL + "Perplexity/Comet/User Data", _SUPPORT + "Comet")),
    Browser("ChatGPT Atlas", CHROMIUM, (_SUPPORT + "com.openai.atlas/browser-data/host",)),
    Browser("WebView2", CHROMIUM, ("EBWebView",)),
    Browser("Firefox", FIREFOX, (_ROAMING + "Mozilla/Firefox/Profiles", _LOCAL + "Mozilla/Firefox/Profiles", _XP_ROAMING + "Mozilla/Firefox/Profiles", _LOCAL + "Packages/Mozilla.Firefox*/LocalCache/Roaming/Mozilla/Firefox/Profiles", _SUPPORT + "Firefox/Profiles", "Library/Caches/Firefox/Profiles", ".mozilla/firefox", ".cache/mozilla/firefox", "config/mozilla/firefox")),
    Browser("LibreWolf", FIREFOX, (_ROAMING + "librewolf/Profiles", _LOCAL + "librewolf/Profiles", _SUPPORT + "librewolf/Profiles", ".librewolf", ".cache/librewolf")),
    Browser("Waterfox", FIREFOX, (_ROAMING + "Waterfox/Profiles", _LOCAL + "Waterfox/Profiles", _SUPPORT + "Waterfox/Profiles", ".waterfox", ".cache/waterfox")),
    Browser("Floorp", FIREFOX, (_ROAMING + "Floorp/Profiles", _LOCAL + "Floorp/Profiles", _SUPPORT + "Floorp/Profiles", ".floorp")),
    Browser("Zen", FIREFOX, (_ROAMING + "zen/Profiles", _LOCAL + "zen/Profiles", _SUPPORT + "zen/Profiles", ".zen")),
    Browser("Mullvad Browser", FIREFOX, ("Mullvad/MullvadBrowser*/*/Profiles", _SUPPORT + "MullvadBrowser-Data/Browser", ".mullvad-browser", "mullvad-browser/Browser/TorBrowser/Data/Browser")),
    Browser("Tor Browser", FIREFOX, ("TorBrowser/Data/Browser", _SUPPORT + "TorBrowser-Data/Browser")),
    Browser("Pale Moon", FIREFOX, (_ROAMING + "Moonchild Productions/Pale Moon/Profiles", _LOCAL + "Moonchild Productions/Pale Moon/Profiles", _SUPPORT + "Pale Moon/Profiles", ".moonchild productions/pale moon")),
    Browser("Basilisk", FIREFOX, (_ROAMING + "Moonchild Productions/Basilisk/Profiles", ".moonchild productions/basilisk")),
    Browser("SeaMonkey", FIREFOX, (_ROAMING + "Mozilla/SeaMonkey/Profiles", _SUPPORT + "SeaMonkey/Profiles", ".mozilla/seamonkey")),
    Browser("Thunderbird", FIREFOX, (_ROAMING + "Thunderbird/Profiles", _LOCAL + "Thunderbird/Profiles", "Library/Thunderbird/Profiles", ".thunderbird")),
    Browser("Safari", SAFARI, ("Library/Safari", "Library/Containers/com.apple.Safari/Data/Library/Safari")),
)  # fmt: skip


class Labels(TypedDict):
    """The shared fields by name."""

    browser: str
    profile: str | None
    user: str | None


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose file it is. ``known`` is False where the place says nothing and only the file's name and content do."""

    browser: str
    profile: str | None
    user: str | None
    known: bool

    @property
    def labels(self) -> Labels:
        """The fields that every browser's observation shares, to be passed on as ``**owner.labels``."""
        return {"browser": self.browser, "profile": self.profile, "user": self.user}


def owner(file: EvidenceFile, family: str) -> Owner:
    """The browser, profile and user a file belongs to, by its path; an unknown place gives ``unknown Chromium browser`` and the like."""
    folder = file.path.rpartition("/")[0] + "/"
    best: tuple[int, str, str] | None = None
    for name, pattern, weight in _patterns(family):
        found = pattern.search(folder)
        if found and (best is None or weight > best[0]):
            best = (weight, name, folder[found.end() :])
    if best is None:
        portable = _PORTABLE.search(folder)
        name = f"{portable[1]} (portable)" if portable else f"unknown {family.capitalize()} browser"
        return Owner(name, folder.rstrip("/").rpartition("/")[2] or None, file.user, False)
    _, name, rest = best
    profile = next((part for part in rest.split("/") if part), None)
    if name == "WebView2":
        shell = re.search(r"([^/]+)(?:/[^/]*webview2?[^/]*)*/EBWebView/", folder, re.IGNORECASE)
        name = f"WebView2 in {shell[1].removesuffix('.WebView2')}" if shell else name
    return Owner(name, profile or folder.rstrip("/").rpartition("/")[2], file.user, True)


# PortableApps.com layout: GoogleChromePortable/Data/profile/Default/History, FirefoxPortable/Data/profile/places.sqlite
_PORTABLE = re.compile(r"/([^/]+?)[ _-]?Portable[^/]*/", re.IGNORECASE)


@cache
def _patterns(family: str) -> tuple[tuple[str, re.Pattern[str], int], ...]:
    """Each root of a family as (browser, expression ending after the root's slash, weight). The longest literal wins."""
    out = []
    for browser in BROWSERS:
        if browser.family == family:
            for root in browser.roots:
                body = "".join("[^/]*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", root))
                out.append((browser.name, re.compile(f"(?:^|/){body}/", re.IGNORECASE), len(root.replace("*", ""))))
    return tuple(out)
