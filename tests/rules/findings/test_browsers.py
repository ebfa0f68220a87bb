"""The shipped rules on browsers: each says what it should, and a setting that keeps history is never a finding."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from artefacts.observations import HistoryGap, InstalledProgram, Observation, PageVisit, PolicySetting, SystemFact
from rules.findings import load

shipped = cache(load)


def fired(observation: Observation) -> dict[str, str]:
    """The rules on browsers that an observation meets, with what each indicates at its severity."""
    record: dict[str, Any] = {**observation.to_json(), "provenance": {"recovered": observation.recovered, "path": "/x"}}
    rules = [rule for rule in shipped() if rule.id.startswith("browser.") and rule.on == record["type"] and rule.when.holds(record)]
    assert all("not recorded" not in rule.explain(record, ()) for rule in rules)
    return {rule.id: rule.indication(rule.severity.of(record)) for rule in rules}


def setting(name: str, value: str, meaning: str = "a meaning") -> PolicySetting:
    return PolicySetting(program="Chrome", setting=name, value=value, meaning=meaning, profile="Default")


@pytest.mark.parametrize(
    ("kind", "strength", "rule", "indicates"),
    [
        ("newest records", "strong", "browser.history_gap", "refer"),
        ("sites", "moderate", "browser.history_gap", "refer"),
        ("days", "moderate", "browser.history_gap", "refer"),
        ("loose ends", "strong", "browser.history_gap", "refer"),
        ("sites", "weak", "browser.history_gap_weak", "note"),
        ("records in between", "moderate", "browser.history_gap_weak", "note"),
        ("oldest records", "weak", "browser.history_gap_weak", "note"),
    ],
)
def test_gaps(kind: str, strength: str, rule: str, indicates: str) -> None:
    gap = HistoryGap(kind=kind, strength=strength, detail="7 are gone", browser="Chrome", profile="Default")
    assert fired(gap) == {rule: indicates}


@pytest.mark.parametrize(
    ("observation", "rules"),
    [
        (PageVisit(url="http://a.example/", browser="Chrome", profile="Default", recovered=True), {"browser.recovered_history": "note"}),
        (PageVisit(url="http://a.example/", browser="Chrome"), {}),
        (SystemFact(name="browsing data cleared by the user", value="Chrome, profile Default"), {"browser.cleared": "refer"}),
        (SystemFact(name="browser guest window used", value="Chrome, profile Guest Profile"), {"browser.guest": "note"}),
        (SystemFact(name="browser profile created", value="Chrome, profile Default"), {}),
        (setting("browser.clear_data_on_exit.browsing_history", "true"), {"browser.clears_on_exit": "refer"}),
        (setting("privacy.sanitize.sanitizeOnShutdown", "true"), {"browser.clears_on_exit": "refer"}),
        (
            setting("ClearBrowsingDataOnExitList", '["browsing_history"]', "browsing data is deleted each time the browser closes"),
            {"browser.clears_on_exit": "refer"},
        ),
        (setting("ClearBrowsingDataOnExitList", "[]", "nothing is deleted when the browser closes"), {}),
        (setting("SanitizeOnShutdown", "false", "nothing is deleted when the browser closes"), {}),
        (setting("IncognitoModeAvailability", "2"), {"browser.private_only": "refer"}),
        (setting("IncognitoModeAvailability", "1"), {}),
        (setting("IncognitoModeAvailability", "0"), {}),
        (setting("incognito.mode_availability", "1"), {}),
        (setting("InPrivateModeAvailability", "1"), {}),
        (setting("AllowDeletingBrowserHistory", "false"), {}),
        (setting("DisablePrivateBrowsing", "true"), {}),
        (setting("browser.privatebrowsing.autostart", "true"), {"browser.private_only": "refer"}),
        (setting("proxy.mode", '"fixed_servers"'), {"browser.proxy": "note"}),
        (setting("brave.tor.tor_used", "true"), {"browser.tor_window": "refer"}),
        (InstalledProgram(name="Tor Browser", how="profile of a browser"), {"browser.anonymous": "refer"}),
        (InstalledProgram(name="Firefox", path="/usr/lib/firefox-esr", how="profile of a browser"), {}),
        (InstalledProgram(name="Firefox", path="C:\\Program Files\\Mozilla Firefox", how="profile of a browser"), {}),
        (InstalledProgram(name="Firefox", path="E:\\Browser", how="profile of a browser"), {"browser.portable": "note"}),
        (InstalledProgram(name="GoogleChrome (portable)", how="profile of a browser"), {"browser.portable": "note"}),
        (InstalledProgram(name="Click&Clean", how="extension of Chrome"), {"browser.extension_wipes": "refer"}),
        (InstalledProgram(name="History Eraser", how="extension of Chrome"), {"browser.extension_wipes": "refer"}),
        (InstalledProgram(name="Cookie AutoDelete", how="extension of Firefox"), {"browser.extension_wipes": "refer"}),
        (InstalledProgram(name="Some Free VPN", how="extension of Chrome"), {"browser.extension_proxies": "note"}),
        (InstalledProgram(name="History of Gardens", how="extension of Chrome"), {}),
        (InstalledProgram(name="Google Docs Offline", how="extension of Chrome"), {}),
    ],
)
def test_each_rule(observation: Observation, rules: dict[str, str]) -> None:
    assert fired(observation) == rules
