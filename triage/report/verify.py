"""``triage verify``: whether a case is as it was sealed, by whom, who vouched for it later, and since when it exists by somebody else's clock.
Never raises, whatever the folder holds.

Five answers: ``intact_known`` (nothing changed, sealed by somebody trusted), ``intact_unknown`` (nothing changed, but the key is nobody's
that is known), ``altered`` (named: which file, which journal line), ``unsigned`` (there is no seal), ``encrypted`` (it must be
opened first).
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from triage.casefolder import SEALED, CaseFolder, there
from triage.casefolder import CaseFile as StoredFile
from triage.keys import verifies
from triage.report.chain import ChainReport, check_journal
from triage.report.countersign import Countersignature
from triage.report.pdf_signature import MAX_PDF, PDF, check_pdf
from triage.report.seal import (
    COUNTERSIGN,
    JOURNAL,
    MANIFEST,
    MANIFEST_FORMAT,
    SEAL,
    SEAL_FORMAT,
    SEAL_KEYS,
    CaseFile,
    SealError,
    added_files,
    case_files,
    digest_file,
    encode_seal,
    fingerprint,
    seal_message,
)
from triage.report.timestamp import Stamp
from triage.report.trust import Trusted, identify, read_trusted

MAX_SEAL = 1 << 20
MAX_MANIFEST = 16 << 20
MAX_ADDED = 4 << 20
MAX_PROBLEMS = 200
MAX_NAME = 200
MAX_TEXT = 1000


@dataclass(slots=True)
class Verdict:
    """What ``verify`` found. ``problems`` and ``notes`` are sentences; ``fingerprint`` is of the manifest as it is now; ``report_pdf`` is signed,
    not signed, or empty where there is none."""

    state: str = "unsigned"
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    signer: str = ""
    signer_reason: str = ""
    fingerprint: str = ""
    sealed_at: str | None = None
    journal_lines: int = 0
    journal_intact: bool = False
    files: int = 0
    countersigned: list[Countersignature] = field(default_factory=list)
    timestamps: list[Stamp] = field(default_factory=list)
    report_pdf: str = ""

    @property
    def exit_code(self) -> int:
        """0 for an intact case, 1 for any other."""
        return 0 if self.state in ("intact_known", "intact_unknown") else 1

    def to_json(self) -> dict[str, Any]:
        """The verdict as JSON values."""
        stamps = [asdict(stamp) | {"time": stamp.time.isoformat()} for stamp in self.timestamps]
        return asdict(self) | {"timestamps": stamps}

    def lines(self) -> list[str]:
        """The verdict in plain English, a sentence or two a line."""
        said = {
            "intact_known": ["INTACT, SIGNER KNOWN. Nothing in this case has changed since it was sealed.", f"Sealed by: {self.signer}."],
            "intact_unknown": [
                "INTACT, SIGNER NOT KNOWN. Nothing in this case has changed since it was sealed with this key.",
                f"The seal says it was made by: {self.signer}. That is not proved: {self.signer_reason}.",
                "Anybody can make such a key. Compare the fingerprint with the one that was read out or written down on the scene.",
            ],
            "altered": ["ALTERED. This case is not as it was sealed. Do not rely on it before the High Tech Crime Unit has looked."],
            "encrypted": [
                "ENCRYPTED. Nobody can check this case before it is opened.",
                "Open it with the unit's key or the officer's passphrase: triage open CASE --identity KEY --out FOLDER",
            ],
            "unsigned": ["NOT SIGNED. This case has no seal, so nobody can tell whether it was changed."],
        }[self.state]
        if self.fingerprint and self.exit_code == 0:
            said.append(f"Fingerprint: {self.fingerprint}")
        if self.sealed_at and self.exit_code == 0:
            said.append(f"Sealed at {self.sealed_at}, by the clock of the computer that ran the scan.")
        if self.exit_code == 0:
            said.extend(self._later())
        said.extend(f"- {problem}" for problem in self.problems)
        said.extend(f"Note: {note}" for note in self.notes)
        return said

    def _later(self) -> Iterator[str]:
        """What was added since it was sealed, a sentence or two each."""
        for item in self.countersigned:
            who = item.identity
            yield (
                f"Countersigned by {who.name}"
                + (", who is known," if who.known else "")
                + f" at {item.time}, by the clock of that computer."
            )
            if not who.known:
                yield f"Who {who.name} is, is not proved: {who.reason}."
        for stamp in self.timestamps:
            yield f"Time stamp: {stamp.authority} says that this case existed at {stamp.time:%Y-%m-%dT%H:%M:%SZ}."
            yield "That authority is trusted." if stamp.known else f"Whether to believe that is open: {stamp.reason}."
        if self.report_pdf == "signed":
            yield f"{PDF} carries a signature of the same key."


def verify(case: CaseFolder, *, trusted: Sequence[Path] = (), revocations: Sequence[Path] = ()) -> Verdict:
    """Check the case in folder ``case``. ``trusted``: files with certificates or public keys of signers and time stamping authorities that are
    known; without them nobody ever is. ``revocations``: files with lists of withdrawn certificates. Nothing is written, no link is
    followed."""
    return _Verifier(case).run(read_trusted(trusted, revocations))


class _Verifier:
    def __init__(self, case: CaseFolder) -> None:
        self._case = case
        self._verdict = Verdict()
        self._dropped = 0
        self._manifest_bytes = b""

    def run(self, trusted: Trusted) -> Verdict:
        verdict = self._verdict
        present = self._list()
        if present is None:
            return verdict
        seal = self._seal()
        signed = isinstance(seal, dict)
        manifest = self._manifest(seal)
        chain = self._journal(present, seal)
        self._files(present, manifest, chain)
        if chain is not None:
            self._compare(chain, seal, present, manifest)
        self._report_pdf(present, seal)
        proved = self._added(seal, trusted)
        damaged = bool(verdict.problems)
        if seal is None:
            self._problem(f"{SEAL} is missing: there is no signature.")
            self._how_it_ends(chain)
        if self._dropped:
            verdict.problems.append(f"… and {self._dropped:,} more problems.")
        if damaged:
            verdict.state = "altered"
        elif signed:
            self._signer(seal, chain, trusted, proved)
        return verdict

    def _problem(self, text: str) -> None:
        if len(self._verdict.problems) < MAX_PROBLEMS:
            self._verdict.problems.append(text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…")
        else:
            self._dropped += 1

    # --- reading ---------------------------------------------------------------------------------------------------------------------

    def _list(self) -> dict[str, CaseFile] | None:
        try:
            present = {item.name: item for item in case_files(self._case)}
        except SealError as error:
            self._problem(f"{error}.")
            self._verdict.state = "altered"
            return None
        except (OSError, ValueError) as error:
            self._problem(f"There is no case folder at {self._case}, or it cannot be read: {_why(error)}.")
            return None
        if SEALED in present and JOURNAL not in present:
            self._verdict.state = "encrypted"
            return None
        if not present and not any(there(self._case / name) for name in (MANIFEST, SEAL)):
            self._problem(f"The folder {self._case} is empty: there is no case in it.")
            return None
        return present

    def _small_file(self, name: str, limit: int) -> bytes | None:
        """The bytes of manifest or seal; None where it is absent; empty, and reported, where it is no readable ordinary file."""
        path = self._case / name
        try:
            status = path.lstat()
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            self._problem(f"{name} is not an ordinary file.")
            return b""
        if status.st_size > limit:
            self._problem(f"{name} is {status.st_size:,} bytes long, far longer than one can be.")
            return b""
        try:
            return path.read_bytes()
        except OSError as error:
            self._problem(f"{name} cannot be read: {_why(error)}.")
            return b""

    def _seal(self) -> dict[str, Any] | None:
        """The seal, where its own signature holds; empty where it is there and does not hold; None where it is missing."""
        data = self._small_file(SEAL, MAX_SEAL)
        if data is None:
            return None
        value: dict[str, Any] = _json(data)
        if not _is_seal(value) or encode_seal(value) != data:
            self._problem(f"{SEAL} was altered: it is not in the form in which it was written.")
            return {}
        key = value["public_key"]
        if not verifies(key, value["seal_signature"], seal_message(value)):
            self._problem(f"{SEAL} was altered: its signature does not fit.")
            return {}
        return value

    def _manifest(self, seal: dict[str, Any] | None) -> dict[str, tuple[int, str]] | None:
        """What the manifest says, by name; None where it is missing or unusable (reported)."""
        data = self._small_file(MANIFEST, MAX_MANIFEST)
        if data is None:
            if seal is not None:
                self._problem(f"{MANIFEST} is missing.")
            return None
        self._manifest_bytes = data
        digest = hashlib.sha256(data).hexdigest()
        self._verdict.fingerprint = fingerprint(digest)
        if seal and (digest != seal["manifest_sha256"] or not verifies(seal["public_key"], seal["signature"], data)):
            self._problem(f"{MANIFEST} was altered, or the seal is of another case: the signature in {SEAL} does not fit it.")
        elif seal and seal["fingerprint"] != fingerprint(digest):
            self._problem(f"{SEAL} has a fingerprint that is not that of {MANIFEST}.")
        value = _json(data)
        rows = value.get("files") if isinstance(value, dict) and value.get("format") == MANIFEST_FORMAT else None
        files: dict[str, tuple[int, str]] = {}
        for row in rows if isinstance(rows, list) else []:
            if not _is_row(row) or row["name"] in files:
                rows = None
                break
            files[row["name"]] = (row["size"], row["sha256"])
        if not isinstance(rows, list):
            self._problem(f"{MANIFEST} is not a list of files: it was altered.")
            return None
        return files

    # --- comparing -------------------------------------------------------------------------------------------------------------------

    def _journal(self, present: dict[str, CaseFile], seal: dict[str, Any] | None) -> ChainReport | None:
        item = present.get(JOURNAL)
        if item is None or not item.regular:
            self._problem(f"{JOURNAL} is {'missing' if item is None else 'not an ordinary file'}: there is no case without it.")
            return None
        watch = seal["journal_lines"] if seal else None
        try:
            chain = check_journal(item.path, watch=watch, seal_key=seal["public_key"] if seal else None)
        except OSError as error:
            self._problem(f"{JOURNAL} cannot be read: {_why(error)}.")
            return None
        self._verdict.journal_lines, self._verdict.sealed_at = chain.lines, chain.sealed_at
        self._verdict.notes.extend(chain.notes[:MAX_PROBLEMS])
        return chain

    def _files(self, present: dict[str, CaseFile], manifest: dict[str, tuple[int, str]] | None, chain: ChainReport | None) -> None:
        self._verdict.files = len(present)
        for name, item in sorted(present.items()):
            if not item.regular:
                self._problem(f"{name} is a link or another special file. A case holds ordinary files only.")
            elif manifest is not None and name not in manifest:
                self._problem(f"{name} was added: the manifest does not know it.")
        for name, (size, digest) in sorted((manifest or {}).items()):
            present_item = present.get(name)
            if present_item is None:
                self._problem(f"{name} is missing.")
            elif present_item.regular:
                self._file(present_item, size, digest, chain if name == JOURNAL else None)

    def _file(self, item: CaseFile, size: int, digest: str, chain: ChainReport | None) -> None:
        try:
            now = item.path.lstat().st_size
            if now != size:
                self._problem(f"{item.name} was altered: it has {now:,} bytes and had {size:,}.")
            elif (chain.sha256 if chain is not None else digest_file(item.path)[1]) != digest:
                self._problem(f"{item.name} was altered: its content is not what it was.")
        except OSError as error:
            self._problem(f"{item.name} cannot be read: {_why(error)}.")

    def _compare(
        self, chain: ChainReport, seal: dict[str, Any] | None, present: dict[str, CaseFile], manifest: dict[str, tuple[int, str]] | None
    ) -> None:
        """The journal against the seal, and against itself."""
        before = len(self._verdict.problems)
        for problem in chain.problems:
            # A last line cut in the middle is what a pulled stick leaves; without a seal it is no sign of tampering.
            if seal is not None or not chain.torn or problem is not chain.problems[-1]:
                self._problem(problem + ".")
        if seal:
            self._against_seal(chain, seal)
        for name, digest in chain.reports.items() if chain.ends_sealed else ():
            if manifest is not None:
                if manifest.get(name, (0, None))[1] != digest:
                    self._problem(f"{name} in {MANIFEST} is not what the journal's last line says.")
            elif name not in present:
                self._problem(f"{name} is missing: the journal's last line names it.")
            elif present[name].regular and not _matches(present[name].path, digest):
                self._problem(f"{name} was altered: the journal's last line knows it with other content.")
        self._verdict.journal_intact = bool(seal) and before == len(self._verdict.problems)

    def _against_seal(self, chain: ChainReport, seal: dict[str, Any]) -> None:
        lines = seal["journal_lines"]
        if chain.watched_head is None:
            if not chain.problems or chain.torn:
                self._problem(f"{JOURNAL} has {chain.lines:,} lines, the seal says {lines:,}: the end was cut off.")
        elif chain.watched_head != seal["journal_head"]:
            self._problem(f"{JOURNAL}, line {lines:,}: is not the last line that was sealed, or a line before it was altered.")
        elif chain.lines > lines:
            self._problem(f"{JOURNAL} has {chain.lines:,} lines, the seal says {lines:,}: lines were added after it was sealed.")
        if not chain.ends_sealed and not chain.problems:
            self._problem(f"{JOURNAL}, line {chain.lines:,}: is not the closing line of a sealed case.")
        if chain.keys and chain.keys[-1] != seal["public_key"]:
            self._problem(f"{SEAL} was made with another key than the one that the journal names.")

    def _how_it_ends(self, chain: ChainReport | None) -> None:
        if chain is None:
            return
        if chain.ends_sealed:
            self._problem(f"{JOURNAL} says that the case was sealed: the seal was taken away, or could not be written.")
        else:
            self._problem(
                f"{JOURNAL} stops after line {chain.lines:,} and was not closed. The scan was cut off, or the end was taken away. "
                f"Signed checkpoints cover the first {chain.signed_lines:,} lines."
            )

    # --- who, and when --------------------------------------------------------------------------------------------------------------

    def _report_pdf(self, present: dict[str, CaseFile], seal: dict[str, Any] | None) -> None:
        item = present.get(PDF)
        if item is None or not item.regular:
            return
        try:
            if item.path.lstat().st_size > MAX_PDF:
                self._problem(f"{PDF} is far larger than one can be.")
                return
            key, problem = check_pdf(item.path.read_bytes())
        except OSError as error:
            self._problem(f"{PDF} cannot be read: {_why(error)}.")
            return
        self._verdict.report_pdf = "not signed" if key is None else "signed"
        if problem:
            self._problem(f"{PDF} {problem}.")
        elif key is not None and seal and key != seal["public_key"]:
            self._problem(f"{PDF} was signed with another key than the case.")

    def _added(self, seal: dict[str, Any] | None, trusted: Trusted) -> datetime | None:
        """Time stamps and countersignatures; returns the earliest time that a trusted stamp tells."""
        from triage.report import countersign, timestamp

        try:
            names = added_files(self._case)
        except OSError:
            return None
        if seal is None:
            for name in names:
                self._problem(f"{name} is for a seal, and there is none.")
            return None
        data = {name: self._small_file(name, MAX_ADDED) for name in names}
        for name, content in data.items():
            if not content:
                self._problem(f"{name} is empty, or no file that can be read.")
            elif name != COUNTERSIGN:
                stamp = timestamp.check(content, self._manifest_bytes, trusted)
                if isinstance(stamp, str):
                    self._problem(f"{name} {stamp}.")
                else:
                    self._verdict.timestamps.append(stamp)
        proved = min((stamp.time for stamp in self._verdict.timestamps if stamp.known), default=None)
        if countersignatures := data.get(COUNTERSIGN):
            good, problems = countersign.check(countersignatures, encode_seal(seal) if seal else b"", trusted, proved)
            self._verdict.countersigned.extend(good)
            for problem in problems:
                self._problem(f"{COUNTERSIGN} {problem}.")
        return proved

    def _signer(self, seal: dict[str, Any] | None, chain: ChainReport | None, trusted: Trusted, proved: datetime | None) -> None:
        assert seal is not None
        verdict = self._verdict
        verdict.notes.extend(trusted.problems)
        claimed = seal["signer"]["name"][:MAX_NAME] or "nobody named"
        sealed_at = chain.sealed_at if chain else None
        identity = identify(seal["public_key"], seal["certificates"], claimed, trusted, sealed_at, proved=proved)
        verdict.state = "intact_known" if identity.known else "intact_unknown"
        verdict.signer, verdict.signer_reason = identity.name, identity.reason
        if chain is not None and len(chain.keys) > 1:
            verdict.notes.append(f"The scan was begun again: {len(chain.keys)} keys were used, the last one sealed the case.")
        if not all(who.checked for who in (identity, *(item.identity for item in verdict.countersigned)) if who.known):
            verdict.notes.append("Whether a certificate was withdrawn was not checked: no revocation list of its issuer was given (--crl).")
        if proved is not None and sealed_at is not None and proved.strftime("%Y-%m-%dT%H:%M:%S") < sealed_at[:19]:
            verdict.notes.append("The trusted time stamp is earlier than the time of sealing: the computer's clock was ahead.")


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _is_seal(value: Any) -> bool:
    if not isinstance(value, dict) or tuple(value) != SEAL_KEYS or value["format"] != SEAL_FORMAT:
        return False
    signer, certificates, lines = value["signer"], value["certificates"], value["journal_lines"]
    return (
        all(isinstance(value[key], str) for key in ("journal_head", "manifest_sha256", "signature", "public_key", "fingerprint"))
        and isinstance(lines, int)
        and not isinstance(lines, bool)
        and isinstance(signer, dict)
        and tuple(signer) == ("known", "name")
        and isinstance(signer["name"], str)
        and isinstance(certificates, list)
        and all(isinstance(item, str) for item in certificates)
    )


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and set(row) == {"name", "size", "sha256"}
        and isinstance(row["name"], str)
        and isinstance(row["size"], int)
        and isinstance(row["sha256"], str)
    )


def _matches(path: StoredFile, digest: Any) -> bool:
    try:
        return bool(digest_file(path)[1] == digest)
    except OSError:
        return False


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
