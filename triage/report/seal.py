"""Sealing a case: what its files are (``manifest.json``), and who vouches for them (``seal.json``).

``manifest.json``: ``{"format", "files": [{"name", "size", "sha256"}]}``, every file of the case folder but these two and what is added to a
sealed case (``countersign.json``, ``timestamp-1.tsr`` …, see there), by name, with ``/`` between folders. ``seal.json``::

    format             "triage seal 1"
    journal_head       SHA-256 of the journal's last line, without its newline
    journal_lines      how many lines the journal has
    manifest_sha256    SHA-256 of manifest.json
    signature          over the bytes of manifest.json, base64 (Ed25519, or ECDSA on P-256; see triage/keys.py)
    public_key         the raw public key, base64
    signer             {known, name}: what the signer says of itself, worth no more than the key
    certificates       X.509 certificates in PEM, the signer's first
    fingerprint        the first 24 digits of manifest_sha256 in groups of four, to be read aloud on the scene
    seal_signature     over "triage seal\\n" and all of the above as canonical JSON, base64

The file is written in one form only (``encode_seal``), so that no byte of it can be changed unnoticed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from triage.casefolder import CaseFile as StoredFile
from triage.casefolder import CaseFolder, there
from triage.journal import Journal
from triage.keys import Signer
from triage.report.files import part
from triage.report.sealing import SealedCase

JOURNAL, MANIFEST, SEAL = "journal.jsonl", "manifest.json", "seal.json"
COUNTERSIGN, TIMESTAMP = "countersign.json", "timestamp-{}.tsr"
SEAL_FORMAT, MANIFEST_FORMAT = "triage seal 1", "triage manifest 1"
SEAL_KEYS = (
    "format", "journal_head", "journal_lines", "manifest_sha256", "signature", "public_key", "signer", "certificates", "fingerprint",
    "seal_signature",
)  # fmt: skip
CHUNK = 1 << 20
MAX_FILES = 10_000
MAX_DEPTH = 16
IO_REPARSE_TAG_MOUNT_POINT = 0xA0000003  # MS-FSCC 2.1.2.1


class SealError(Exception):
    """The case cannot be sealed; the text says why in one sentence."""


class CaseFile(NamedTuple):
    """Something in a case folder. ``regular`` is False for links, pipes and devices, which are never opened."""

    name: str
    path: StoredFile
    regular: bool


def case_files(case: CaseFolder) -> Iterator[CaseFile]:
    """Everything in the case folder but manifest, seal and what is added to a sealed case, in no fixed order; links are named, never followed.

    Raises ``OSError`` for a folder that cannot be read, ``SealError`` for one that is far larger or deeper than a case can be.
    """
    if isinstance(case, SealedCase):
        yield from (CaseFile(name, case / name, True) for name in case.names() if name not in (MANIFEST, SEAL) and not is_added(name))
        return
    found = 0
    pending = [(Path(str(case)), "", 0)]
    while pending:
        folder, prefix, depth = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                found += 1
                if found > MAX_FILES or depth > MAX_DEPTH:
                    raise SealError(f"the case folder holds more than {MAX_FILES} files or {MAX_DEPTH} levels: it is no case folder")
                name = prefix + entry.name
                if entry.is_dir(follow_symlinks=False) and not _is_junction(entry.path):
                    pending.append((Path(entry.path), name + "/", depth + 1))
                elif name not in (MANIFEST, SEAL) and not is_added(name):
                    yield CaseFile(name, Path(entry.path), entry.is_file(follow_symlinks=False))


def is_timestamp(name: str) -> bool:
    """Whether a name is that of a time stamp in a case folder."""
    return re.fullmatch(r"timestamp-[1-9]\.tsr", name) is not None


def is_added(name: str) -> bool:
    """Whether a name is that of something that is added to a sealed case."""
    return name == COUNTERSIGN or is_timestamp(name)


def added_files(case: CaseFolder) -> list[str]:
    """What was added to a sealed case, by name. Raises ``OSError``."""
    if isinstance(case, SealedCase):
        return [name for name in case.names() if is_added(name)]
    with os.scandir(str(case)) as entries:
        return sorted(entry.name for entry in entries if is_added(entry.name))


def _is_junction(path: str) -> bool:
    """Whether a directory is a mount point or junction, a link that only Windows has and that Python 3.11 takes for a directory."""
    return os.name == "nt" and getattr(os.lstat(path), "st_reparse_tag", 0) == IO_REPARSE_TAG_MOUNT_POINT


def digest_file(path: StoredFile) -> tuple[int, str]:
    """Size and SHA-256 of a file, read to its end. Raises ``OSError``."""
    hasher, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            hasher.update(chunk)
            size += len(chunk)
    return size, hasher.hexdigest()


def fingerprint(manifest_sha256: str) -> str:
    """What the officer reads aloud: 96 bits, far beyond what can be forged to match."""
    digits = manifest_sha256[:24].upper()
    return " ".join(digits[start : start + 4] for start in range(0, 24, 4))


def encode_seal(seal: Mapping[str, Any]) -> bytes:
    """A seal as the bytes of ``seal.json``."""
    return json.dumps(seal, indent=1).encode("ascii") + b"\n"


def seal_message(seal: Mapping[str, Any]) -> bytes:
    """What ``seal_signature`` signs."""
    return b"triage seal\n" + encode_seal({key: value for key, value in seal.items() if key != "seal_signature"})


def seal(case: CaseFolder, journal: Journal, signer: Signer) -> dict[str, Any]:
    """Seal the case: the journal's last record, the manifest, the signatures. Returns what ``seal.json`` holds.

    The reports must lie in the folder already. The journal is left flushed and must not be added to any more. A case that has a seal is
    first to be opened with ``reopen``. Raises ``SealError``, ``OSError``.
    """
    from cryptography.hazmat.primitives.serialization import Encoding

    for name in (MANIFEST, SEAL, *added_files(case)):
        if there(case / name):
            raise SealError(f"{name} is there already: the case is sealed")
    clear(case)
    _sign_report(case, signer)
    entries = {item.name: item for item in case_files(case)}
    for item in entries.values():
        if not item.regular:
            raise SealError(f"{item.name} is not an ordinary file: take it out of the case folder")
    others = {name: digest_file(item.path) for name, item in sorted(entries.items()) if name != JOURNAL}
    journal.checkpoint_now()
    journal.append("sealed", {"reports": {name: digest for name, (_, digest) in others.items()}})
    journal.flush(durable=True)
    digests = {**others, JOURNAL: digest_file(case / JOURNAL)}
    manifest = {
        "format": MANIFEST_FORMAT,
        "files": [{"name": name, "size": size, "sha256": digest} for name, (size, digest) in sorted(digests.items())],
    }
    manifest_bytes = json.dumps(manifest, indent=1).encode("ascii") + b"\n"
    manifest_sha256 = hashlib.sha256(manifest_bytes).hexdigest()
    out: dict[str, Any] = {
        "format": SEAL_FORMAT,
        "journal_head": journal.head,
        "journal_lines": journal.lines,
        "manifest_sha256": manifest_sha256,
        "signature": _base64(signer.sign(manifest_bytes)),
        "public_key": signer.public_key,
        "signer": {"known": signer.known, "name": signer.name},
        "certificates": [item.public_bytes(Encoding.PEM).decode("ascii") for item in signer.certificates],
        "fingerprint": fingerprint(manifest_sha256),
    }
    out["seal_signature"] = _base64(signer.sign(seal_message(out)))
    _write_durably(case / MANIFEST, manifest_bytes)
    _write_durably(case / SEAL, encode_seal(out))
    return out


def reopen(case: CaseFolder, journal: Journal) -> None:
    """Open a sealed case so that a scan can go on in it; nothing happens to one that has no seal.

    The old seal's hashes, and whether it still held, are journalled (kind ``unsealed``: state, journal_intact or null where only a
    manifest was there, problems, fingerprint, files {name: SHA-256}) before ``manifest.json``, ``seal.json`` and what was added to them are
    removed: going on must not launder what was changed in between. To be called before anything else is appended. Raises ``OSError``.
    """
    from triage.report.verify import verify

    present = [name for name in (MANIFEST, SEAL) if there(case / name)] + added_files(case)
    if not present:
        return
    journal.flush(durable=True)
    clear(case)
    verdict = verify(case)
    journal.append(
        "unsealed",
        {
            "state": verdict.state,
            "journal_intact": verdict.journal_intact if SEAL in present else None,
            "problems": verdict.problems[:20],
            "fingerprint": verdict.fingerprint,
            "files": {name: digest_file(case / name)[1] for name in present if (case / name).is_file() and not (case / name).is_symlink()},
        },
    )
    journal.flush(durable=True)
    # The seal goes first: a stick pulled between the two leaves a case that is unsigned, not one that looks altered.
    for name in reversed(present):
        (case / name).unlink()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _sign_report(case: CaseFolder, signer: Signer) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from triage.report.pdf_signature import PDF, can_sign, sign_pdf

    if not (case / PDF).is_file() or not can_sign(signer):
        return
    assert isinstance(signer.private_key, EllipticCurvePrivateKey)
    try:
        sign_pdf(case / PDF, signer.private_key, signer.certificates)
    except ValueError as error:
        raise SealError(str(error)) from None


def clear(case: CaseFolder) -> None:
    """Take away what a stick leaves that was pulled while a seal, or something added to it, was being written."""
    for name in (MANIFEST, SEAL):
        _temporary(case / name).unlink(missing_ok=True)
    for name in (COUNTERSIGN, *(TIMESTAMP.format(number) for number in range(1, 10))):
        part(case / name).unlink(missing_ok=True)


def _temporary(path: StoredFile) -> StoredFile:
    return path.with_name(f".{path.name}.tmp")


def _write_durably(path: StoredFile, data: bytes) -> None:
    temporary = _temporary(path)
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
