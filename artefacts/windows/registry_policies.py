"""Settings that bear on what is kept or seen: policies of browsers, proxies, exclusions from Defender, cleaning programs.

Sources: the browsers' published lists of policies; Microsoft, "Configure exclusions for Microsoft Defender Antivirus"; plaso's notes on CCleaner
(``UpdateKey``: local time, MM/DD/YYYY hh:mm:ss AM).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from artefacts.browsers.policies import meaning_in_registry
from artefacts.observations import Observation, PolicySetting, ProgramRun, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NoTime, Time, from_local
from artefacts.windows.hive import Hive, Key, Value
from artefacts.windows.hive.reading import NTUSER, SOFTWARE, Results, read_hive

_BROWSERS = (
    (r"Google\Chrome", "Chrome"), (r"Microsoft\Edge", "Edge"), (r"BraveSoftware\Brave", "Brave"), ("Chromium", "Chromium"),
    ("Vivaldi", "Vivaldi"), (r"Mozilla\Firefox", "Firefox"), (r"Microsoft\MicrosoftEdge\Main", "Edge (old)"),
    (r"Microsoft\Internet Explorer\Privacy", "Internet Explorer"),
)  # fmt: skip
_PROXY = ("ProxyEnable", "ProxyServer", "AutoConfigURL", "ProxyOverride")
_EXCLUSIONS = (r"Microsoft\Windows Defender\Exclusions", r"Policies\Microsoft\Windows Defender\Exclusions")
_BIN = r"Software\Microsoft\Windows\CurrentVersion\Explorer\BitBucket"


def parse_policies(file: EvidenceFile) -> Results:
    """``PolicySetting`` for each policy of a browser and for proxies, Defender's exclusions and the recycle bin, from a SOFTWARE or NTUSER hive."""

    def read(hive: Hive) -> Iterator[Observation]:
        for before in ("", "Software\\"):
            for place, browser in _BROWSERS:
                key = hive.key(rf"{before}Policies\{place}")
                for inside in (key, *key.subkeys()) if key else ():
                    yield from _policies(inside, browser, file.user)
            internet = hive.key(rf"{before}Microsoft\Windows\CurrentVersion\Internet Settings")
            for name in _PROXY if internet else ():
                value = internet.value(name) if internet else None
                if value is not None and (shown := _shown(value)):
                    meaning = {"0": "no proxy is used", "1": "a proxy is used"}.get(shown) if name == "ProxyEnable" else None
                    yield PolicySetting(
                        program="Windows", setting=name, value=shown, meaning=meaning, user=file.user, locator=value.locator
                    )
            for place in _EXCLUSIONS:
                top = hive.key(before + place)
                for kind in top.subkeys() if top else ():
                    for value in kind.values():
                        yield PolicySetting(
                            program="Windows Defender",
                            setting=f"exclusion: {kind.name}",
                            value=value.name,
                            meaning="what is named is not checked for malicious software",
                            user=file.user,
                            locator=value.locator,
                        )
        yield from _recycle_bin(hive, file.user)

    return read_hive(file, read)


def parse_cleaners(file: EvidenceFile) -> Results:
    """``PolicySetting``, ``SystemFact`` and ``ProgramRun`` of CCleaner and of SDelete and its companions, from an NTUSER hive."""

    def read(hive: Hive) -> Iterator[Observation]:
        cleaner = hive.key(r"Software\Piriform\CCleaner")
        if cleaner:
            yield SystemFact(
                name="CCleaner settings last changed", value="CCleaner was used by this user", time=cleaner.written, locator=cleaner.locator
            )
            for value in cleaner.values():
                shown = _shown(value)
                if value.name == "UpdateKey" and shown:
                    yield SystemFact(name="CCleaner looked for updates", value=shown, time=_american(shown), locator=value.locator)
                elif shown and (
                    value.name.startswith("(")
                    or value.name in ("CookiesToSave", "SecureDeleteType", "SecureDeleteMethod", "AutoClose", "RunOnStart")
                ):
                    meaning = {"True": "is cleaned", "False": "is not cleaned"}.get(shown) if value.name.startswith("(") else None
                    yield PolicySetting(
                        program="CCleaner", setting=value.name, value=shown, meaning=meaning, user=file.user, locator=value.locator
                    )
        tools = hive.key(r"Software\Sysinternals")
        for key in tools.subkeys() if tools else ():
            if key.number("EulaAccepted") is not None:
                # Accepted at its first start, by a click or by an option; the key is not written again after.
                yield ProgramRun(
                    program=key.name,
                    time=key.written,
                    time_meaning="licence accepted",
                    user=file.user,
                    how="Sysinternals licence",
                    locator=key.locator,
                )
        eraser = hive.key(r"Software\Eraser")
        if eraser:
            yield SystemFact(
                name="Eraser settings last changed", value="Eraser was used by this user", time=eraser.written, locator=eraser.locator
            )

    return read_hive(file, read)


def _policies(key: Key, browser: str, user: str | None) -> Iterator[Observation]:
    for value in key.values():
        shown = _shown(value)
        # In a list, the values are numbered and the key is named after the policy.
        setting = key.name if value.name.isdigit() else value.name
        if shown:
            meaning = meaning_in_registry(setting, shown if value.number is None else value.number)
            yield PolicySetting(program=browser, setting=setting, value=shown[:1000], meaning=meaning, user=user, locator=value.locator)


def _recycle_bin(hive: Hive, user: str | None) -> Iterator[Observation]:
    volumes = hive.key(rf"{_BIN}\Volume")
    for key in volumes.subkeys() if volumes else ():
        straight = key.number("NukeOnDelete")
        if straight is not None:
            meaning = "files deleted there do not go through the recycle bin" if straight else "files deleted there go to the recycle bin"
            yield PolicySetting(
                program="Windows",
                setting=f"NukeOnDelete {key.name}",
                value=str(straight),
                meaning=meaning,
                user=user,
                locator=f"{key.locator} value=NukeOnDelete",
            )


def _shown(value: Value) -> str | None:
    if value.number is not None:
        return str(value.number)
    return value.text or ", ".join(value.strings or []) or None


def _american(text: str) -> Time:
    try:
        return from_local(datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").isoformat(), "CCleaner's UpdateKey")
    except ValueError:
        return NoTime(f"not a date: {text[:40]}")


ARTEFACTS = (
    Artefact(
        id="windows.registry.policies",
        title="Windows registry: settings that matter",
        meaning="Whether private browsing and deleting are allowed, proxies, what the virus scanner must not look at, and the recycle bin's settings.",
        paths=(*SOFTWARE, *NTUSER),
        parse=parse_policies,
        references=("https://chromeenterprise.google/policies/", "https://mozilla.github.io/policy-templates/"),
        systems=("windows",),
    ),
    Artefact(
        id="windows.registry.cleaners",
        title="Windows registry: cleaning programs",
        meaning="That CCleaner, SDelete or Eraser was used by this user, and what CCleaner was set to remove.",
        paths=NTUSER,
        parse=parse_cleaners,
        references=("https://learn.microsoft.com/sysinternals/downloads/sdelete",),
        systems=("windows",),
        validation="specimen of CCleaner",
    ),
)
