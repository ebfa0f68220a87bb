"""What a Chromium profile says of itself: when it was cleared, what it is set to keep, whose accounts, which extensions, which sites.

Sources: Chromium's chrome/common/pref_names.h, components/browsing_data/core/pref_names.h, components/signin (account_info),
extensions/browser/extension_prefs.cc, components/content_settings (exceptions). Times are WebKit microseconds, mostly as text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from artefacts.browsers.profiles import CHROMIUM, Owner, owner
from artefacts.browsers.reading import Results
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import AccountUse, InstalledProgram, Observation, PolicySetting, SiteTrace, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, from_unix, from_webkit_json

LARGEST = 64 << 20  # bytes

_GUEST = "Guest Profile"  # chrome/browser/profiles/profile_manager.cc; made when a guest window is first opened

# Path in the file, the values that mean something, and what they mean.
_SETTINGS: tuple[tuple[str, tuple[Any, ...], str], ...] = (
    ("browser.clear_data_on_exit.browsing_history", (True,), "history is deleted each time the browser closes"),
    ("browser.clear_data_on_exit.download_history", (True,), "the list of downloads is deleted each time the browser closes"),
    ("browser.clear_data_on_exit.cookies", (True,), "cookies are deleted each time the browser closes"),
    ("browser.clear_data_on_exit.cache", (True,), "stored copies of pages are deleted each time the browser closes"),
    ("browser.clear_lso_data_enabled", (True,), "cookies and site data are deleted each time the browser closes"),
    ("profile.default_content_setting_values.cookies", (2, 4), "cookies are refused (2) or kept only until the browser closes (4)"),
    ("profile.clear_site_data_on_exit", (True,), "cookies and site data are deleted each time the browser closes"),
    ("brave.tor.tor_used", (True,), "a private window with Tor was used"),
    ("tor.tor_used", (True,), "a private window with Tor was used"),
    ("savingBrowserHistoryDisabled", (True,), "history is not kept"),
    ("history.saving_disabled", (True,), "history is not kept"),
    ("history.deleting_enabled", (False,), "history cannot be deleted by the user"),
    ("incognito.mode_availability", (0, 1, 2), "private windows: 0 allowed, 1 not allowed, 2 the only kind"),
    ("proxy.mode", ("fixed_servers", "pac_script"), "traffic goes through another computer (proxy)"),
    ("vivaldi.privacy.clear_on_exit", (True,), "browsing data is deleted each time the browser closes"),
)  # fmt: skip


def parse(file: EvidenceFile) -> Results:
    """``SystemFact``, ``PolicySetting``, ``AccountUse``, ``InstalledProgram`` and ``SiteTrace`` of one profile."""
    owned = owner(file, CHROMIUM)
    data = file.read(LARGEST + 1)
    if not data:
        return
    try:
        if len(data) > LARGEST:
            raise ValueError(f"larger than {LARGEST} bytes")
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        if not owned.known and not data.lstrip().startswith(b"{"):
            yield Problem("in no browser's profile, a file of another program", Status.SKIPPED)
            return
        if not data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
            raise Unrecognised("not a preferences file of a Chromium browser") from error
        yield Problem(f"damaged ({error}): not read", Status.FAILED)
        return
    if not isinstance(tree, dict) or not {"profile", "browser", "extensions", "protection"} & set(tree):
        if owned.known:
            raise Unrecognised("not a preferences file of a Chromium browser")
        yield Problem("in no browser's profile, a file of another program", Status.SKIPPED)
        return
    yield from _facts(tree, owned)
    yield from _settings(tree, owned)
    yield from _accounts(tree, owned)
    yield from _extensions(tree, owned)
    yield from _sites(tree, owned)


def parse_local_state(file: EvidenceFile) -> Results:
    """``SystemFact`` and ``AccountUse`` for each profile that the browser knows."""
    try:
        tree = json.loads(file.read(LARGEST))
    except (ValueError, RecursionError) as error:
        yield Problem(f"damaged ({error}): not read", Status.FAILED)
        return
    owned = owner(file, CHROMIUM)
    for folder, facts in _items(_at(tree, "profile.info_cache")):
        if not isinstance(facts, dict):
            continue
        whose = f"{owned.browser}, profile {folder}"
        active = facts.get("active_time")
        time = from_unix(active) if isinstance(active, (int, float)) else NOT_RECORDED
        place = f"profile.info_cache.{folder}"
        name = facts.get("name")
        yield SystemFact(
            name="browser profile last active", value=f"{whose} ({name})" if isinstance(name, str) else whose, time=time, locator=place
        )
        account = facts.get("user_name")
        if isinstance(account, str) and account:
            yield AccountUse(
                service="browser sign-in",
                account=account,
                browser=owned.browser,
                profile=folder,
                user=owned.user,
                how="profile",
                locator=place,
            )


def _facts(tree: dict[str, Any], owned: Owner) -> Iterator[Observation]:
    whose = f"{owned.browser}, profile {owned.profile}"
    for place, name in (
        ("browser.last_clear_browsing_data_time", "browsing data cleared by the user"),
        ("profile.creation_time", "browser profile created"),
        ("extensions.autoupdate.last_check", "browser looked for updates of its extensions"),
    ):
        value = _at(tree, place)
        if value is not None:
            yield SystemFact(name=name, value=whose, time=from_webkit_json(value), locator=place)
    if owned.profile == _GUEST:
        yield SystemFact(
            name="browser guest window used", value=whose, time=from_webkit_json(_at(tree, "profile.creation_time")), locator=_GUEST
        )


def _settings(tree: dict[str, Any], owned: Owner) -> Iterator[Observation]:
    for place, values, meaning in _SETTINGS:
        value = _at(tree, place)
        if any(value is one or (value == one and type(value) is type(one)) for one in values):
            yield PolicySetting(
                program=owned.browser,
                setting=place,
                value=json.dumps(value),
                meaning=meaning,
                profile=owned.profile,
                user=owned.user,
                locator=place,
            )


def _accounts(tree: dict[str, Any], owned: Owner) -> Iterator[Observation]:
    found = [
        (f"account_info[{index}]", _at(item, "email"))
        for index, item in enumerate(_at(tree, "account_info") or ())
        if isinstance(item, dict)
    ]
    found += [(place, _at(tree, place)) for place in ("google.services.last_username", "google.services.username")]
    told: set[str] = set()
    for place, account in found:
        if isinstance(account, str) and account and account.casefold() not in told:
            told.add(account.casefold())
            yield AccountUse(service="browser sign-in", account=account, how="preferences", locator=place, **owned.labels)


def _extensions(tree: dict[str, Any], owned: Owner) -> Iterator[Observation]:
    for identifier, facts in _items(_at(tree, "extensions.settings")):
        if not isinstance(facts, dict):
            continue
        manifest = facts.get("manifest") if isinstance(facts.get("manifest"), dict) else {}
        name, version, path = _at(manifest, "name"), _at(manifest, "version"), facts.get("path")
        if not manifest and not isinstance(path, str):
            continue
        state = facts.get("state")
        yield InstalledProgram(
            name=name if isinstance(name, str) else identifier,
            version=version if isinstance(version, str) else None,
            installed=from_webkit_json(facts.get("first_install_time", facts.get("install_time"))),
            identifier=identifier,
            path=path if isinstance(path, str) else None,
            enabled=state == 1 if isinstance(state, int) else None,
            user=owned.user,
            how=f"extension of {owned.browser}",
            locator=f"extensions.settings.{identifier}",
        )


def _sites(tree: dict[str, Any], owned: Owner) -> Iterator[Observation]:
    """Sites in the exceptions to content settings: permissions asked for, and how much a site was used."""
    place = "profile.content_settings.exceptions"
    for kind, sites in _items(_at(tree, place)):
        for pattern, facts in _items(sites):
            url = pattern.partition(",")[0]
            if not url or url == "*" or not isinstance(facts, dict):
                continue
            setting = facts.get("setting")
            used = _at(setting, "lastEngagementTime") if isinstance(setting, dict) else None
            seconds = facts.get("last_used")
            time = from_webkit_json(used if used is not None else facts.get("last_visit", facts.get("last_modified")))
            if isinstance(seconds, (int, float)):
                time = from_unix(seconds)
            yield SiteTrace(
                url=url,
                what="use of the site (site engagement)" if kind == "site_engagement" else f"site setting: {kind.replace('_', ' ')}",
                time=time,
                value=str(setting) if isinstance(setting, int) else None,
                locator=f"{place}.{kind}.{pattern}",
                **owned.labels,
            )


def _at(tree: Any, place: str) -> Any:
    for part in place.split("."):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def _items(tree: Any) -> list[tuple[str, Any]]:
    return list(tree.items()) if isinstance(tree, dict) else []


ARTEFACTS = (
    Artefact(
        id="browsers.chromium.preferences",
        title="Chromium browsers: preferences",
        meaning="When browsing data was last cleared, settings that stop it being kept, accounts, extensions, and sites given permissions.",
        paths=("**/Preferences", "**/Secure Preferences"),
        parse=parse,
        references=("https://chromium.googlesource.com/chromium/src/+/main/components/browsing_data/core/pref_names.h",),
        validation="specimen of Chrome 38; profiles made by Chromium in the tests",
    ),
    Artefact(
        id="browsers.chromium.local_state",
        title="Chromium browsers: list of profiles",
        meaning="The profiles of a browser, when each was last used, and the account it is signed in to.",
        paths=("**/Local State",),
        parse=parse_local_state,
        references=("https://chromium.googlesource.com/chromium/src/+/main/chrome/browser/profiles/profile_attributes_entry.cc",),
    ),
)
