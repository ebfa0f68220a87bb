"""What a keeper's folder holds: which files may go onto a stick, and what of them a lost stick would tell.

The folders are those of ``layout.KEEPERS``; ``stick.toml`` beside them: ``name``, ``expires`` (a date), and a table ``use_until`` of files and dates.
A file of a kind that has no place is refused: so no list in the clear, and no key, comes along by mistake.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from portable import integrity
from triage.stick import layout
from triage.stick.check import walk

MAX_SETTINGS = 1 << 20
_SCANNED = 1 << 20
_FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f]|[ .]$')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)


@dataclass(slots=True)
class Contents:
    """``files``: what goes onto the stick, by its place there; ``bundles``: likewise the bundles' folders; ``refused``: why there will be no stick."""

    name: str = ""
    expires: str | None = None
    use_until: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    bundles: dict[str, Path] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def examine(folders: list[Path], bundles: list[Path], secret: bytes | None) -> Contents:
    """Judge the files of keepers' folders and the ``bundles`` (folders with ``bundle.json``). ``secret``: what opens the keyed sets and encrypted
    lists; with it every one of them is opened."""
    out = Contents()
    for folder in folders:
        _settings(folder / layout.SETTINGS, out)
        inner = _bundles(folder / layout.BUNDLES)
        bundles = [*bundles, *inner]
        left = {path.relative_to(folder).as_posix() for path in inner}
        for name, path in walk(folder, left, out.refused):
            if name != layout.SETTINGS and not name.startswith(f"{layout.BUNDLES}/") and "triage-compiled" not in name.split("/"):
                _file(name, path, secret, out)
    for folder in bundles:
        _bundle(folder, out)
    for name in sorted(out.use_until.keys() - out.files.keys()):
        out.refused.append(f"{layout.SETTINGS} says until when {name} may be used, and there is no such file")
    if not out.bundles:
        out.warnings.append("no bundle: nothing on this stick can be started")
    if not any(name.startswith(f"{layout.SEAL}/") for name in out.files):
        out.warnings.append(f"no public key of the unit in {layout.SEAL}/recipients.txt: cases on this stick would not be encrypted")
    if not any(name.startswith(f"{layout.KEYS}/") for name in out.files):
        out.warnings.append(f"no signing key in {layout.KEYS}/: cases would be signed by nobody known")
    return out


def _settings(path: Path, out: Contents) -> None:
    if not path.exists():
        return
    try:
        text = path.read_bytes()[: MAX_SETTINGS + 1].decode("utf-8")
        data = tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        out.refused.append(f"{path} cannot be used: {error}")
        return
    until = data.pop("use_until", {})
    name, expires = data.pop("name", out.name), data.pop("expires", None)
    if data or not isinstance(name, str) or not isinstance(until, dict) or type(expires) not in (date, type(None)):
        out.refused.append(
            f'{path} may have name = "…", expires = 2027-06-30 and [use_until] with "hashsets/unit.set" = 2027-01-31, nothing else'
        )
        return
    out.name, out.expires = name, expires.isoformat() if expires else out.expires
    for file, day in until.items():
        if type(day) is date:
            out.use_until[file] = day.isoformat()
        else:
            out.refused.append(f"{path}: the end of {file} is not a date like 2027-01-31")


def _bundles(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob(f"*/*/{integrity.NAME}"))


def _bundle(folder: Path, out: Contents) -> None:
    import json

    problems = integrity.full_check(folder)
    if problems:
        out.refused.append(
            f"the bundle {folder} is not what was built: {problems[0]}" + (f" and {len(problems) - 1} more" if problems[1:] else "")
        )
        return
    facts = json.loads((folder / integrity.NAME).read_bytes())
    target = re.sub(r"[^a-z0-9-]", "", str(facts.get("target", "")).lower()) or "other"
    place = f"{layout.BUNDLES}/{target}/triage"
    if place in out.bundles:
        out.refused.append(f"there are two bundles for {target}: {out.bundles[place]} and {folder}")
        return
    out.bundles[place] = folder
    out.files[f"{place}/{integrity.NAME}"] = folder / integrity.NAME


def _file(name: str, path: Path, secret: bytes | None, out: Contents) -> None:
    top, _, rest = name.partition("/")
    why = _name_trouble(name)
    if why is None and name.lower() in {other.lower() for other in out.files}:
        why = "is there twice, and a stick does not tell capitals from small letters"
    if why is None and (top not in _KINDS or not rest):
        why = f"has no place on a stick: its folders are {', '.join(layout.KEEPERS)}"
    if why is None:
        try:
            why = _secret_inside(path, secret) or _KINDS[top](path, secret, lambda text: out.warnings.append(f"{name} {text}"))
        except OSError as error:
            why = f"cannot be read: {error.strerror or error}"
    if why is not None:
        out.refused.append(f"{name} {why}")
    else:
        out.files[name] = path


def _name_trouble(name: str) -> str | None:
    for part in name.split("/"):
        if _FORBIDDEN.search(part) or _RESERVED.match(part) or len(part) > 200:
            return "has a name that cannot be written onto every stick"
    return None


def _secret_inside(path: Path, secret: bytes | None) -> str | None:
    """Why a file must never be on a stick: it opens what the stick keeps closed."""
    with open(path, "rb") as file:
        data = file.read(_SCANNED)
    if b"AGE-SECRET-KEY-" in data.upper():
        return "holds the unit's secret key: it must never be on a stick"
    if re.search(rb"-----BEGIN (?:RSA |EC |OPENSSH |DSA )?PRIVATE KEY-----", data):
        return "holds a private key that is not encrypted: anybody who finds the stick could sign with it"
    if secret is not None and secret in data:
        return "holds the key of the stick's own sets and lists: it must be carried apart"
    return None


Warn = Callable[[str], None]


def _hash_set(path: Path, secret: bytes | None, warn: Warn) -> str | None:
    import hashsets
    from hashsets import bloom, store

    try:
        if not store.is_store(path):
            if bloom.is_filter(path):
                return None  # for known harmless files only: it is refused as an alert set wherever it is opened
            return "is a plain list: build it first with 'triage hashset build OUT LIST --role … --key FILE'"
        facts = store.describe(path, check=True)
        if facts["role"] == "alert" and not facts["keyed"]:
            return "is an alert hash set without a key: a lost stick would tell what it lists; build it with --key"
        if facts["keyed"]:
            if secret is None:
                warn("was not opened: give its key with --secret to have it tried")
            else:
                hashsets.open_set(path, key=secret).close()
    except hashsets.HashSetError as error:
        return f"cannot be used: {error}"
    return None


def _keywords(path: Path, secret: bytes | None, warn: Warn) -> str | None:
    from rules import keywords, sealed

    with open(path, "rb") as file:
        if not sealed.is_sealed(file.read(len(sealed.MAGIC))):
            return "is a keyword list in the clear: encrypt it with 'triage rules encrypt LIST OUT --key FILE'"
    if secret is None:
        warn("was not opened: give its key with --secret to have it tried")
        return None
    try:
        found = keywords.load([path], secret=secret)
    except sealed.WrongKey as error:
        return f"cannot be used: {error}"
    return f"cannot be used: {found.problems[0]}" if found.problems else None


def _rules(path: Path, secret: bytes | None, warn: Warn) -> str | None:
    from rules import findings

    if path.suffix.lower() not in (".yaml", ".yml"):
        return "is no file of finding rules (.yaml)"
    found = findings.load([path])
    return f"cannot be used: {found.problems[0]}" if found.problems else None


def _yara(path: Path, secret: bytes | None, warn: Warn) -> str | None:
    from rules import yara_rules

    if path.suffix.lower() not in (".yar", ".yara", ".yr"):
        return "is no file of YARA rules (.yar)"
    found = yara_rules.load([path])
    if found.problems:
        return f"cannot be used: {found.problems[0]}"
    warn("is in the clear: whoever finds the stick can read these rules")
    return None


def _trust(path: Path, secret: bytes | None, warn: Warn) -> str | None:
    from triage.report.trust import read_trusted

    revocations = path.suffix.lower() == ".crl"
    found = read_trusted([] if revocations else [path], [path] if revocations else [])
    return f"cannot be used: {found.problems[0]}" if found.problems else None


def _seal(path: Path, secret: bytes | None, warn: Warn) -> str | None:
    from triage.report.sealing import SealingError, read_recipients

    try:
        read_recipients(path)
    except SealingError as error:
        return f"cannot be used: {error}"
    return None


def _key(path: Path, secret: bytes | None, warn: Warn) -> str | None:
    from triage.keys import MAX_BYTES, SigningKeyError, read_certificates

    with open(path, "rb") as file:
        data = file.read(MAX_BYTES)
    if b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in data:
        return None
    try:
        return None if read_certificates(data) else "is neither an encrypted signing key nor a certificate"
    except SigningKeyError as error:
        return f"cannot be used: {error}"


def _visit(path: Path, secret: bytes | None, warn: Warn) -> str | None:
    from triage.visit.visitfile import VisitError, load_visit

    if path.suffix.lower() not in (".yaml", ".yml"):
        return "is no visit file (.yaml)"
    try:
        load_visit(path)
    except VisitError as error:
        return f"cannot be used: {error.problems[0]}"
    warn("is in the clear: whoever finds the stick can read whom it is about")
    return None


_KINDS: dict[str, Callable[[Path, bytes | None, Warn], str | None]] = {
    layout.HASH_SETS: _hash_set,
    layout.KEYWORDS: _keywords,
    layout.RULES: _rules,
    layout.YARA: _yara,
    layout.TRUST: _trust,
    layout.SEAL: _seal,
    layout.KEYS: _key,
    layout.VISITS: _visit,
}
