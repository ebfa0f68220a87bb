"""Whose file it is, by where it lies."""

from __future__ import annotations

from typing import Any

import pytest

from artefacts.browsers.profiles import BROWSERS, CHROMIUM, FIREFOX, owner


@pytest.mark.parametrize(
    ("path", "family", "browser", "profile"),
    [
        ("/Users/jo/AppData/Local/Google/Chrome/User Data/Default/History", CHROMIUM, "Chrome", "Default"),
        ("/Users/jo/AppData/Local/Google/Chrome/User Data/Guest Profile/Network/Cookies", CHROMIUM, "Chrome", "Guest Profile"),
        ("/Users/jo/appdata/local/google/chrome sxs/user data/Profile 2/History", CHROMIUM, "Chrome Canary", "Profile 2"),
        (
            "/Documents and Settings/jo/Local Settings/Application Data/Google/Chrome/User Data/Default/History",
            CHROMIUM,
            "Chrome",
            "Default",
        ),
        ("/Users/jo/Library/Application Support/Google/Chrome/Default/History", CHROMIUM, "Chrome", "Default"),
        ("/home/jo/.var/app/com.google.Chrome/config/google-chrome/Default/History", CHROMIUM, "Chrome", "Default"),
        ("/home/jo/snap/chromium/common/chromium/Default/History", CHROMIUM, "Chromium", "Default"),
        ("/Users/jo/AppData/Local/Microsoft/Edge/User Data/Profile 1/History", CHROMIUM, "Edge", "Profile 1"),
        ("/Users/jo/AppData/Local/BraveSoftware/Brave-Browser/User Data/Default/History", CHROMIUM, "Brave", "Default"),
        ("/Users/jo/AppData/Roaming/Opera Software/Opera Stable/History", CHROMIUM, "Opera", "Opera Stable"),
        ("/Users/jo/AppData/Roaming/Opera Software/Opera GX Stable/Default/History", CHROMIUM, "Opera GX", "Default"),
        ("/Users/jo/AppData/Local/Vivaldi/User Data/Default/History", CHROMIUM, "Vivaldi", "Default"),
        ("/Users/jo/AppData/Local/Yandex/YandexBrowser/User Data/Default/History", CHROMIUM, "Yandex", "Default"),
        ("/Users/jo/Library/Application Support/Arc/User Data/Default/History", CHROMIUM, "Arc", "Default"),
        (
            "/Users/jo/AppData/Local/Packages/MSTeams_8w/LocalCache/Microsoft/MSTeams/EBWebView/Default/History",
            CHROMIUM,
            "WebView2 in MSTeams",
            "Default",
        ),
        ("/E/GoogleChromePortable/Data/profile/Default/History", CHROMIUM, "GoogleChrome (portable)", "Default"),
        ("/PortableApps/FirefoxPortable/Data/profile/places.sqlite", FIREFOX, "Firefox (portable)", "profile"),
        ("/odd/place/History", CHROMIUM, "unknown Chromium browser", "place"),
        ("/home/jo/.mozilla/firefox/ab12.default-esr/places.sqlite", FIREFOX, "Firefox", "ab12.default-esr"),
        ("/Users/jo/AppData/Roaming/Mozilla/Firefox/Profiles/x.default/places.sqlite", FIREFOX, "Firefox", "x.default"),
        ("/Desktop/Tor Browser/Browser/TorBrowser/Data/Browser/profile.default/places.sqlite", FIREFOX, "Tor Browser", "profile.default"),
        ("/home/jo/.librewolf/y.default/places.sqlite", FIREFOX, "LibreWolf", "y.default"),
        ("/Users/jo/AppData/Roaming/Thunderbird/Profiles/z.default/places.sqlite", FIREFOX, "Thunderbird", "z.default"),
    ],
)
def test_owner(evidence: Any, path: str, family: str, browser: str, profile: str) -> None:
    found = owner(evidence({path: b""}).file(path), family)
    assert (found.browser, found.profile) == (browser, profile)
    assert found.known == ("unknown" not in browser and "portable" not in browser)


def test_each_browser_is_found_in_each_of_its_roots(evidence: Any) -> None:
    for browser in BROWSERS:
        for root in browser.roots:
            path = f"/x/{root.replace('*', 'any')}/Profile 9/file"
            found = owner(evidence({path: b""}).file(path), browser.family)
            assert found.known and found.profile == "Profile 9", path
            assert found.browser.split(" in ")[0] == browser.name, path
