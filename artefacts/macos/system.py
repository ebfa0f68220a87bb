"""Facts about a Mac: its system, name, time zone and updates.

Sources: SystemVersion.plist; SystemConfiguration/preferences.plist (System/System/ComputerName and HostName);
.GlobalPreferences.plist (com.apple.preferences.timezone.selected_city); com.apple.SoftwareUpdate.plist (specimen).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from artefacts.coverage import Problem, Unrecognised
from artefacts.macos.property_lists import date, dicts, table, text
from artefacts.observations import Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import Timestamp

Results = Iterator[Observation | Problem]


def parse_version(file: EvidenceFile) -> Results:
    """One ``SystemFact``: name, version and build of the system."""
    values = table(file)
    words = [text(values.get(key)) for key in ("ProductName", "ProductVersion")]
    if not any(words):
        raise Unrecognised("a property list, but not of a system version")
    build = text(values.get("ProductBuildVersion"))
    yield SystemFact(name="operating system", value=" ".join(word for word in words if word) + (f" ({build})" if build else ""))


def parse_names(file: EvidenceFile) -> Results:
    """``SystemFact`` for the names that the Mac has."""
    preferences = table(file)
    system = _inside(preferences, "System")
    for holder, key, name in (
        (_inside(system, "System"), "ComputerName", "computer name"),
        (_inside(system, "System"), "HostName", "host name"),
        (_inside(_inside(system, "Network"), "HostNames"), "LocalHostName", "name on the local network"),
    ):
        if value := text(holder.get(key)):
            yield SystemFact(name=name, value=value, locator=key)
    if model := text(preferences.get("Model")):
        yield SystemFact(name="model", value=model, locator="Model")


def _inside(holder: Any, key: str) -> dict[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def parse_global(file: EvidenceFile) -> Results:
    """``SystemFact``: the city whose time zone was chosen, and whether the zone follows the place."""
    settings = table(file)
    city = _inside(settings, "com.apple.preferences.timezone.selected_city") or _inside(
        settings, "com.apple.TimeZonePref.Last_Selected_City"
    )
    zone, name = text(city.get("TimeZoneName")), text(city.get("Name"))
    if zone or name:
        yield SystemFact(
            name="time zone", value=", ".join(filter(None, (zone, name))), locator="com.apple.preferences.timezone.selected_city"
        )
    listed = settings.get("com.apple.TimeZonePref.Last_Selected_City")
    if isinstance(listed, list) and len(listed) > 3 and (zone := text(listed[3])):
        yield SystemFact(name="time zone", value=zone, locator="com.apple.TimeZonePref.Last_Selected_City")


def parse_updates(file: EvidenceFile) -> Results:
    """``SystemFact``: when the system last looked for updates, and which it has not installed."""
    settings = table(file)
    looked = date(settings.get("LastFullSuccessfulDate"))
    if isinstance(looked, Timestamp):
        version = text(settings.get("LastAttemptSystemVersion")) or "a version not recorded"
        yield SystemFact(name="last look for updates", value=f"on {version}", time=looked, locator="LastFullSuccessfulDate")
    for number, update in enumerate(dicts(settings.get("RecommendedUpdates"))):
        words = " ".join(filter(None, (text(update.get("Display Name")), text(update.get("Display Version")))))
        yield SystemFact(name="update not installed", value=words or "[no name]", locator=f"RecommendedUpdates[{number}]")


def parse_setup_done(file: EvidenceFile) -> Results:
    """``SystemFact``: that the Mac was set up; the file is empty, its own creation time is when."""
    yield SystemFact(name="set up by the setup assistant", value="the file's own creation time says when")


ARTEFACTS = (
    Artefact(
        id="macos.system_version",
        title="System version",
        meaning="Which macOS this is.",
        paths=("System/Library/CoreServices/SystemVersion.plist", "**/System/Library/CoreServices/SystemVersion.plist"),
        parse=parse_version,
        references=("https://support.apple.com/109033",),
        systems=("macos",),
    ),
    Artefact(
        id="macos.computer_name",
        title="Computer name",
        meaning="What this Mac is called.",
        paths=("**/Library/Preferences/SystemConfiguration/preferences.plist",),
        parse=parse_names,
        references=("https://keith.github.io/xcode-man-pages/scutil.8.html",),
        systems=("macos",),
    ),
    Artefact(
        id="macos.time_zone",
        title="Time zone",
        meaning="The city and time zone that this Mac was set to.",
        paths=("**/Library/Preferences/.GlobalPreferences.plist",),
        parse=parse_global,
        references=("https://keith.github.io/xcode-man-pages/systemsetup.8.html",),
        systems=("macos",),
    ),
    Artefact(
        id="macos.software_update",
        title="Software update",
        meaning="When the Mac last looked for updates.",
        paths=("**/Library/Preferences/com.apple.SoftwareUpdate.plist",),
        parse=parse_updates,
        references=("https://developer.apple.com/documentation/devicemanagement/softwareupdate",),
        systems=("macos",),
        validation="specimen of OS X 10.9; generated",
    ),
    Artefact(
        id="macos.setup_done",
        title="First set-up",
        meaning="That somebody set this Mac up, or set it up again after it was wiped; the file's own time says when.",
        paths=("**/var/db/.AppleSetupDone",),
        parse=parse_setup_done,
        references=("https://support.apple.com/guide/deployment/welcome/web",),
        systems=("macos",),
    ),
)
