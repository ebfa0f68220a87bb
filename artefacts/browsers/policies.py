"""Settings that a machine's owner or administrator put on a browser, as files: Chromium's managed policies, Firefox's policies.json.

The same settings in the Windows registry have the same names (``meaning_in_registry``). Sources: chromeenterprise.google/policies,
learn.microsoft.com/deployedge, mozilla.github.io/policy-templates.
"""

from __future__ import annotations

import json
import re
from typing import Any

from artefacts.browsers.reading import Results
from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.observations import PolicySetting
from artefacts.registry import Artefact, EvidenceFile

LARGEST = 16 << 20  # bytes

# Policy, and what it means, by its value in JSON; "*" for any other value.
MEANINGS: dict[str, dict[str, str]] = {
    "IncognitoModeAvailability": {"0": "private windows are allowed", "1": "private windows are not allowed", "2": "every window is a private window"},
    "InPrivateModeAvailability": {"0": "private windows are allowed", "1": "private windows are not allowed", "2": "every window is a private window"},
    "BrowserGuestModeEnabled": {"false": "guest windows are not allowed", "true": "guest windows are allowed"},
    "BrowserGuestModeEnforced": {"true": "every window is a guest window"},
    "AllowDeletingBrowserHistory": {"false": "history cannot be deleted by the user", "true": "history can be deleted by the user"},
    "SavingBrowserHistoryDisabled": {"true": "history is not kept"},
    "ForceEphemeralProfiles": {"true": "everything is deleted each time the browser closes"},
    "ClearBrowsingDataOnExit": {"true": "browsing data is deleted each time the browser closes"},
    "ClearBrowsingDataOnExitList": {"[]": "nothing is deleted when the browser closes", "*": "browsing data is deleted each time the browser closes"},
    "BrowsingDataLifetime": {"[]": "nothing is deleted by age", "*": "browsing data is deleted after a time"},
    "ProxyMode": {"\"fixed_servers\"": "traffic goes through another computer (proxy)", "\"pac_script\"": "traffic goes through another computer (proxy script)"},
    "ProxySettings": {"*": "traffic may go through another computer (proxy)"},
    "ExtensionInstallForcelist": {"*": "extensions that the user cannot remove"},
    "TorDisabled": {"true": "windows with Tor are not allowed", "false": "windows with Tor are allowed"},
    "DisablePrivateBrowsing": {"true": "private windows are not allowed"},
    "PrivateBrowsingModeAvailability": {"0": "private windows are allowed", "1": "private windows are not allowed", "2": "every window is a private window"},
    "DisableForgetButton": {"true": "the button that deletes recent history is not there"},
    "SanitizeOnShutdown": {"false": "nothing is deleted when the browser closes", "*": "browsing data is deleted each time the browser closes"},
    "Proxy": {"*": "traffic may go through another computer (proxy)"},
    # Internet Explorer and the old Edge, in the registry only
    "ClearDataOnExit": {"true": "browsing data is deleted each time the browser closes"},
    "ClearBrowsingHistoryOnExit": {"true": "history is deleted each time the browser closes"},
    "EnableInPrivateBrowsing": {"false": "private windows are not allowed"},
}  # fmt: skip

_PROGRAMS = (
    (r"/opt/chrome", "Chrome"), (r"/chromium", "Chromium"), (r"/opt/edge", "Edge"), (r"/brave", "Brave"), (r"/opera", "Opera"),
    (r"/vivaldi", "Vivaldi"), (r"tor.?browser", "Tor Browser"), (r"librewolf", "LibreWolf"), (r"waterfox", "Waterfox"), (r"firefox", "Firefox"),
)  # fmt: skip


def meaning_of(policy: str, value: Any) -> str | None:
    """What a policy's value means in plain words, or None where it has no bearing on what is kept."""
    known = MEANINGS.get(policy, {})
    return known.get(json.dumps(value), known.get("*"))


_BY_LOWER = {name.lower(): name for name in MEANINGS}


def meaning_in_registry(policy: str, value: int | str) -> str | None:
    """The same for a policy in the Windows registry: names without regard to case, yes and no as 1 and 0, anything else as text."""
    known = MEANINGS.get(_BY_LOWER.get(policy.lower(), ""), {})
    forms = [json.dumps(value)]
    if isinstance(value, int):
        forms.append({0: "false", 1: "true"}.get(value, ""))
    else:
        forms.append(value)  # an object or a list is JSON inside the text
    return next((known[form] for form in forms if form in known), known.get("*"))


def parse(file: EvidenceFile) -> Results:
    """``PolicySetting`` for each policy that bears on what a browser keeps, hides or sends elsewhere."""
    data = file.read(LARGEST + 1)
    if not data.strip():
        return
    try:
        if len(data) > LARGEST:
            raise ValueError(f"larger than {LARGEST} bytes")
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        yield Problem(f"damaged ({error}): not read", Status.FAILED)
        return
    if not isinstance(tree, dict):
        raise Unrecognised("not a file of browser policies")
    inner = tree.get("policies")
    program = next((name for pattern, name in _PROGRAMS if re.search(pattern, file.path, re.IGNORECASE)), "Firefox")
    for policy, value in (inner if isinstance(inner, dict) else tree).items():
        meaning = meaning_of(policy, value)
        if meaning is not None:
            yield PolicySetting(program=program, setting=policy, value=json.dumps(value)[:1000], meaning=meaning, locator=policy)


ARTEFACTS = (
    Artefact(
        id="browsers.policies",
        title="Browsers: policies in files",
        meaning="Settings put on a browser for the whole machine: whether private windows are allowed, whether history is kept.",
        paths=(
            "etc/opt/*/policies/managed/*.json",
            "etc/opt/*/policies/recommended/*.json",
            "etc/chromium/policies/managed/*.json",
            "etc/chromium/policies/recommended/*.json",
            "etc/chromium-browser/policies/managed/*.json",
            "etc/brave/policies/managed/*.json",
            "etc/*/policies/policies.json",
            "**/distribution/policies.json",
        ),
        parse=parse,
        references=("https://chromeenterprise.google/policies/", "https://mozilla.github.io/policy-templates/"),
    ),
)
