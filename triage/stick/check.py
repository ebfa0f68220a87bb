"""Whether a stick is still what its keeper signed.

Quick, for every start: the signature, all names and sizes, the content of small files and the two ends of large ones. A hash set's ends hold
its header and so the digests of its parts, which are compared when they are read. Bundles are compared by their own lists, which are signed here.
Somebody who rewrites a whole stick can sign it with a key of their own: against that stand the fingerprint on the stick's label, and a check at
the station with the keeper's key (``trusted``) by a copy of the program that did not come from the stick.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from portable import integrity
from triage.stick import layout, listing

if TYPE_CHECKING:
    from triage.report.trust import Identity, Trusted

SOON = 30
"""Days before an end that it is told."""


@dataclass(slots=True)
class Verdict:
    """``problems``: why the stick must not be used; ``warnings``: what its keeper should see to. ``identity``: whose key signed, None where no
    key was given to compare with."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    listed: listing.StickList | None = None
    identity: Identity | None = None


def check(root: Path, *, quick: bool = False, trusted: Trusted | None = None, today: date | None = None) -> Verdict:
    """Compare the stick at ``root`` with its signed list. Never raises for what lies there."""
    out = Verdict()
    if (root / layout.UNFINISHED).exists():
        out.problems.append("the stick was not written to its end")
        return out
    try:
        out.listed = listing.read(root)
    except listing.ListError as error:
        out.problems.append(str(error))
        return out
    if trusted is not None:
        from triage.report.trust import identify

        keeper = out.listed.keeper
        out.problems += trusted.problems
        out.identity = identify(keeper["public_key"], keeper["certificates"], keeper["name"], trusted, out.listed.created)
        if not out.identity.known:
            out.problems.append(f"it was not signed by the keeper: {out.identity.reason}")
    _files(root, out.listed, quick, out)
    out.warnings += ends(root, out.listed, today or datetime.now(UTC).date())
    return out


def at_start(bundle: Path) -> list[str]:
    """Why the program in the folder ``bundle`` must not be used from this stick, a sentence each; nothing if it is not on one."""
    root = layout.find(bundle)
    if root is not None:
        return check(root, quick=True).problems
    missing = layout.should_be_stick(bundle)
    return [f"{layout.LIST} is missing from {missing}"] if missing is not None else []


def ends(root: Path, listed: listing.StickList, today: date) -> list[str]:
    """What has expired or soon will: the stick, its hash sets and lists, its certificates. By the clock of this computer, which can be wrong."""
    out = []
    dates = ({"the stick": listed.expires} if listed.expires else {}) | listed.use_until
    for name, text in sorted(dates.items()):
        try:
            out += _end(name, date.fromisoformat(text), today)
        except ValueError:
            out.append(f"{name} has an end that is no date: {text}")
    for name in [*listed.below(layout.KEYS), *listed.below(layout.TRUST)]:
        for holder, until in _certificates(root / name):
            out += _end(f"the certificate of {holder} ({name})", until, today)
    return out


def _end(name: str, until: date, today: date) -> list[str]:
    if until < today:
        return [f"{name} expired on {until.isoformat()}, by this computer's clock"]
    return [f"{name} expires on {until.isoformat()}"] if (until - today).days <= SOON else []


def _certificates(path: Path) -> Iterator[tuple[str, date]]:
    """Holder and last day of every certificate in a file, and the day when a revocation list should have been renewed."""
    from triage.keys import MAX_BYTES, SigningKeyError, certificate_name, read_certificates

    try:
        with open(path, "rb") as file:
            chain = read_certificates(file.read(MAX_BYTES))
    except (OSError, SigningKeyError):
        return
    for certificate in chain:
        yield certificate_name(certificate), certificate.not_valid_after_utc.date()


def _files(root: Path, listed: listing.StickList, quick: bool, out: Verdict) -> None:
    bundles = {
        name.rpartition("/")[0] for name in listed.files if name.startswith(f"{layout.BUNDLES}/") and name.endswith(f"/{integrity.NAME}")
    }
    seen: set[str] = set()
    for name, path in walk(root, bundles, out.problems):
        seen.add(name)
        entry = listed.files.get(name)
        top = name.partition("/")[0]
        officers = top == layout.VISITS
        try:
            same = entry is not None and _same(path, entry, quick)
        except OSError as error:
            out.problems.append(f"{name} cannot be read: {error.strerror or error}")
            continue
        if entry is None:
            if top in layout.KEEPERS and not officers:
                out.problems.append(f"{name} does not belong to the stick")
            elif not officers and name != layout.PREPARED_VISIT:
                out.warnings.append(f"{name} was put onto the stick by somebody else than the keeper; it is not used")
        elif not same:
            (out.warnings if officers else out.problems).append(f"{name} was changed since the keeper signed the stick")
    for name in sorted(listed.files.keys() - seen):
        (out.warnings if name.startswith(f"{layout.VISITS}/") else out.problems).append(f"{name} is missing")
    for name in sorted(bundles):
        if not quick and (root / name / integrity.NAME).is_file():
            out.problems += [f"{name}: {problem}" for problem in integrity.full_check(root / name)]


def walk(root: Path, bundles: set[str], problems: list[str]) -> Iterator[tuple[str, Path]]:
    """Every file that the list speaks of, by its name with ``/``, in order: not the cases, not what systems put there, of ``bundles`` only the list.
    Links, devices and unreadable folders are problems: a list says nothing of them."""

    def failed(error: OSError) -> None:
        problems.append(f"the folder {Path(str(error.filename)).name} cannot be read: {error.strerror or error}")

    for folder, folders, names in os.walk(root, onerror=failed):
        inside = Path(folder).relative_to(root).as_posix()
        prefix = "" if inside == "." else inside + "/"
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        problems.extend(f"{prefix}{name} is a link" for name in links)
        if inside in bundles:
            folders[:], names = [], [integrity.NAME] if integrity.NAME in names else []
        elif not prefix:
            folders[:] = [name for name in folders if name != layout.CASES and name.lower() not in layout.SYSTEMS]
            names = [name for name in names if name not in layout.OWN and name.lower() not in layout.SYSTEMS]
        folders[:] = sorted(name for name in folders if name not in links)
        for name in sorted(names):
            path = Path(folder) / name
            try:
                kind = path.lstat().st_mode
            except OSError as error:
                problems.append(f"{prefix}{name} cannot be read: {error.strerror or error}")
                continue
            if stat.S_ISREG(kind):
                yield prefix + name, path
            else:
                problems.append(f"{prefix}{name} is a link or no file at all")


def _same(path: Path, entry: dict[str, object], quick: bool) -> bool:
    size = path.stat().st_size
    if size != entry["size"]:
        return False
    if quick and size > listing.WHOLE:
        return listing.ends(path, size) == str(entry["ends"])
    return str(listing.describe(path)["sha256"]) == entry["sha256"]
