"""Programs on a Mac: application bundles, the receipts of installer packages and the list of all installations.

Sources: Apple, Information Property List Key Reference; ``man pkgutil``; Library/Receipts/InstallHistory.plist as written by
Installer and softwareupdated (dates in UTC by the property list format).
"""

from __future__ import annotations

from collections.abc import Iterator

from artefacts.coverage import Problem, Status, Unrecognised
from artefacts.macos.property_lists import date, table, text, tree
from artefacts.observations import InstalledProgram, Observation
from artefacts.registry import Artefact, EvidenceFile

Results = Iterator[Observation | Problem]


def parse_bundle(file: EvidenceFile) -> Results:
    """One ``InstalledProgram`` for an application bundle."""
    info = table(file)
    folder = file.path.removesuffix("/Contents/Info.plist")
    name = text(info.get("CFBundleDisplayName")) or text(info.get("CFBundleName")) or folder.rsplit("/", 1)[-1].removesuffix(".app")
    yield InstalledProgram(
        name=name,
        version=text(info.get("CFBundleShortVersionString")) or text(info.get("CFBundleVersion")),
        identifier=text(info.get("CFBundleIdentifier")),
        path=folder,
        user=file.user,
        how="application bundle",
    )


def parse_receipt(file: EvidenceFile) -> Results:
    """One ``InstalledProgram`` for the receipt of an installer package."""
    receipt = table(file)
    identifier = text(receipt.get("PackageIdentifier"))
    if identifier is None:
        raise Unrecognised("a property list, but not a receipt")
    prefix = text(receipt.get("InstallPrefixPath"))
    yield InstalledProgram(
        name=identifier,
        version=text(receipt.get("PackageVersion")),
        identifier=identifier,
        installed=date(receipt.get("InstallDate")),
        path=f"/{prefix.strip('/')}" if prefix else None,
        how=f"installer receipt ({text(receipt.get('InstallProcessName')) or 'installer not named'})",
    )


def parse_history(file: EvidenceFile) -> Results:
    """``InstalledProgram`` for each installation that the system remembers, programs that are gone included."""
    entries = tree(file)
    if not isinstance(entries, list):
        raise Unrecognised("a property list, but not an installation history")
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict):
            yield Problem("not an installation", Status.FAILED, f"[{number}]")
            continue
        packages = entry.get("packageIdentifiers")
        yield InstalledProgram(
            name=text(entry.get("displayName")) or "[no name]",
            version=text(entry.get("displayVersion")),
            identifier=text(packages[0]) if isinstance(packages, list) and packages else None,
            installed=date(entry.get("date")),
            how=f"installation history ({text(entry.get('processName')) or 'installer not named'})",
            locator=f"[{number}]",
        )


ARTEFACTS = (
    Artefact(
        id="macos.application_bundle",
        title="Applications",
        meaning="Programs that are on this Mac.",
        paths=("**/*.app/Contents/Info.plist",),
        parse=parse_bundle,
        references=("https://developer.apple.com/library/archive/documentation/General/Reference/InfoPlistKeyReference/",),
        systems=("macos",),
    ),
    Artefact(
        id="macos.installer_receipt",
        title="Installer receipts",
        meaning="Programs that were installed from a package, and when; the receipt can outlive the program.",
        paths=("**/var/db/receipts/*.plist",),
        parse=parse_receipt,
        references=("https://keith.github.io/xcode-man-pages/pkgutil.1.html",),
        systems=("macos",),
    ),
    Artefact(
        id="macos.install_history",
        title="Installation history",
        meaning="What was installed and updated on this Mac, and when, programs that are gone included.",
        paths=("**/Library/Receipts/InstallHistory.plist",),
        parse=parse_history,
        references=("https://developer.apple.com/library/archive/documentation/General/Reference/InfoPlistKeyReference/",),
        systems=("macos",),
    ),
)
