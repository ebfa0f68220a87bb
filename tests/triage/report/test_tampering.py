"""Eighty ways to meddle with a case that is sealed, signed in its PDF, time stamped and countersigned twice: each is noticed.

The control is the same case untouched. A row gives what is done and a word of what ``verify`` says of it.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from triage import journal
from triage.journal import Journal
from triage.keys import Signer, case_signer
from triage.report import countersign, timestamp
from triage.report.seal import COUNTERSIGN, MANIFEST, SEAL, encode_seal, fingerprint, seal, seal_message
from triage.report.verify import Verdict, verify

JOURNAL = "journal.jsonl"
STAMP = "timestamp-1.tsr"
TSA = """[tsa]
default_tsa = t
[t]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha512
tsa_name = yes
ess_cert_id_chain = no
"""


class Desk:
    """A force's signers, and a time stamping authority by the openssl command."""

    def __init__(self, folder: Path, authority: Any, other: Any) -> None:
        self.folder, self.authority, self.other = folder, authority, other
        self.stick = authority.signer("Stick 7")
        self.officer = authority.signer("PC Demo", key=Ed25519PrivateKey.generate())
        self.sergeant = authority.signer("Sgt Demo")
        self.forger = other.signer("Stick 7")
        self.house = self._house(authority)
        self.false_house = self._house(other)
        self.empty_list = authority.revoke()

    def _house(self, authority: Any) -> Path:
        folder = self.folder / f"tsa-{authority.folder.name}"
        folder.mkdir()
        key = ec.generate_private_key(ec.SECP256R1())
        (folder / "key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (folder / "crt").write_bytes(authority.issue(key, "Stamp House", stamps=True).public_bytes(Encoding.PEM))
        (folder / "serial").write_text("01")
        (folder / "conf").write_text(TSA.format(folder=folder))
        return folder

    def stamp(self, request: bytes, house: Path | None = None) -> bytes:
        """The response to a request."""
        house = house or self.house
        (house / "q").write_bytes(request)
        command = ["openssl", "ts", "-reply", "-config", house / "conf", "-queryfile", house / "q", "-inkey", house / "key", "-signer", house / "crt", "-out", house / "r"]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        return (house / "r").read_bytes()

    def verify(self, case: Path) -> Verdict:
        """As the unit does it: with the force's root and its revocation list."""
        return verify(case, trusted=[self.authority.path], revocations=[self.empty_list])


def make(case: Path, signer: Signer, *, text: str = "Report") -> Path:
    """A sealed case with a PDF, a folder and names that Unicode writes in two ways."""
    from reportlab.pdfgen.canvas import Canvas

    case.mkdir()
    log = Journal(case / JOURNAL, checkpoint=signer.checkpoint, checkpoint_every=7)
    log.append("case_opened", {"case_id": "demo", "public_key": signer.public_key})
    log.append("scan_started", {"attempt": 1, "public_key": signer.public_key})
    for number in range(25):
        log.append("observation", {"id": f"{number:016x}", "type": "SystemFact", "name": "demo", "value": text * number})
    (case / "report.html").write_text("<!doctype html><title>Report</title>")
    (case / "caf\u00e9.csv").write_text("a,b\r\n")
    (case / "exports").mkdir()
    (case / "exports" / "list.csv").write_bytes(b"a,b\r\n1,2\r\n")
    page = Canvas(str(case / "report.pdf"), invariant=1)
    page.drawString(72, 720, text)
    page.save()
    seal(case, log, signer)
    log.close()
    return case


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, authority: Any, other_authority: Any) -> Desk:
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not installed")
    return Desk(tmp_path_factory.mktemp("desk"), authority, other_authority)


@pytest.fixture(scope="module")
def original(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    case = make(tmp_path_factory.mktemp("original") / "case", desk.stick)
    timestamp.add(case, desk.stamp(timestamp.request(case)))
    countersign.countersign(case, desk.officer)
    countersign.countersign(case, desk.sergeant)
    return case


@pytest.fixture
def case(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "case"))


# --- how it is done --------------------------------------------------------------------------------------------------------------------


def _lines(case: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    (case / JOURNAL).write_bytes(b"".join(change((case / JOURNAL).read_bytes().splitlines(keepends=True))))


def _bytes(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path, Desk], object]:
    return lambda case, _: (case / name).write_bytes(change((case / name).read_bytes()))


def _json(name: str, change: Callable[[dict[str, Any]], object], write: Callable[[Any], bytes]) -> Callable[[Path, Desk], object]:
    def do(case: Path, _: Desk) -> None:
        value = json.loads((case / name).read_bytes())
        change(value)
        (case / name).write_bytes(write(value))

    return do


def _log(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path, Desk], object]:
    return lambda case, _: _lines(case, change)


def _rechained(
    lines: list[bytes], change: Callable[[dict[str, Any]], object] = lambda _: None, signer: Signer | None = None
) -> list[bytes]:
    """The journal as a forger who knows the format writes it; with ``signer``, who signs the checkpoints too."""
    out, head = [], "0" * 64
    for number, line in enumerate(lines):
        value = json.loads(line)
        value["seq"], value["prev"] = number, head
        change(value)
        if signer and "public_key" in value["data"]:
            value["data"]["public_key"] = signer.public_key
        if signer and value["kind"] == "checkpoint":
            value["data"] = {"lines": number, "head": head, "signature": signer.checkpoint(number, head)}
        raw = journal.encode(value)
        head = hashlib.sha256(raw).hexdigest()
        out.append(raw + b"\n")
    return out


def _manifest(case: Path) -> bytes:
    value = json.loads((case / MANIFEST).read_bytes())
    for row in value["files"]:
        data = (case / row["name"]).read_bytes()
        row["size"], row["sha256"] = len(data), hashlib.sha256(data).hexdigest()
    return json.dumps(value, indent=1).encode() + b"\n"


def _remanifest(case: Path, name: str) -> None:
    (case / name).write_bytes(b"other")
    (case / MANIFEST).write_bytes(_manifest(case))


def _reseal(case: Path, signer: Signer, change: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
    """The whole case made again by somebody with another key."""
    _lines(case, lambda lines: _rechained(lines, change, signer))
    data = _manifest(case)
    (case / MANIFEST).write_bytes(data)
    raw = (case / JOURNAL).read_bytes().splitlines()
    digest = hashlib.sha256(data).hexdigest()
    value = json.loads((case / SEAL).read_bytes()) | {
        "journal_head": hashlib.sha256(raw[-1]).hexdigest(), "journal_lines": len(raw), "manifest_sha256": digest,
        "signature": base64.b64encode(signer.sign(data)).decode(), "public_key": signer.public_key, "fingerprint": fingerprint(digest),
        "certificates": [item.public_bytes(Encoding.PEM).decode() for item in signer.certificates],
    }  # fmt: skip
    value["seal_signature"] = base64.b64encode(signer.sign(seal_message(value))).decode()
    (case / SEAL).write_bytes(encode_seal(value))


def _countersigned(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Path, Desk], object]:
    return _json(COUNTERSIGN, lambda value: change(value["countersignatures"]), countersign.encode)


def _link(name: str) -> Callable[[Path, Desk], object]:
    def do(case: Path, _: Desk) -> None:
        kept = case.parent / f"kept-{Path(name).name}"
        (case / name).rename(kept)
        (case / name).symlink_to(kept)

    return do


def _renamed(case: Path, _: Desk) -> None:
    (case / "caf\u00e9.csv").rename(case / "cafe\u0301.csv")


def _low_to_high(case: Path, desk: Desk) -> None:
    """The other of the two ECDSA signatures that hold: for a library that does not care, nothing has changed."""
    from triage.keys import P256_ORDER

    def flip(value: dict[str, Any]) -> None:
        raw = base64.b64decode(value["signature"])
        high = P256_ORDER - int.from_bytes(raw[32:], "big")
        value["signature"] = base64.b64encode(raw[:32] + high.to_bytes(32, "big")).decode()
        value["seal_signature"] = base64.b64encode(desk.stick.sign(seal_message(value))).decode()

    _json(SEAL, flip, encode_seal)(case, desk)


def _from_another(name: str) -> Callable[[Path, Desk], object]:
    def do(case: Path, desk: Desk) -> None:
        other = make(case.parent / "other", desk.stick, text="Other")
        timestamp.add(other, desk.stamp(timestamp.request(other)))
        countersign.countersign(other, desk.officer)
        shutil.copy(other / name, case / name)

    return do


def _pdf_by(case: Path, desk: Desk, *, signer: str = "sergeant") -> None:
    """The report's PDF signed by somebody else, in a case sealed again by the right key."""
    from triage.report.pdf_signature import sign_pdf

    other = make(case.parent / "unsigned", case_signer())
    who = getattr(desk, signer)
    sign_pdf(other / "report.pdf", who.private_key, who.certificates)
    shutil.copy(other / "report.pdf", case / "report.pdf")
    (case / COUNTERSIGN).unlink()
    (case / STAMP).unlink()
    _reseal(case, desk.stick)


def _pdf_continued(case: Path, desk: Desk) -> None:
    """A page's worth added after the signature, as PDF readers do when they save; sealed again by the right key."""
    import io

    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO((case / "report.pdf").read_bytes()), strict=False)
    writer.root["/Lang"] = __import__("pyhanko.pdf_utils.generic", fromlist=["pdf_string"]).pdf_string("fr")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    (case / "report.pdf").write_bytes(out.getvalue())
    (case / COUNTERSIGN).unlink()
    (case / STAMP).unlink()
    _reseal(case, desk.stick)


def _swap(lines: list[bytes]) -> list[bytes]:
    return [*lines[:5], lines[6], lines[5], *lines[7:]]


def _earlier(value: dict[str, Any]) -> None:
    value["time"] = "2019" + value["time"][4:]


def _first(lines: list[bytes]) -> int:
    return next(number for number, line in enumerate(lines) if b'"kind":"checkpoint"' in line)


ALTERED: dict[str, tuple[Callable[[Path, Desk], object], str]] = {
    "journal: a line edited": (_log(lambda x: [*x[:5], x[5].replace(b"demo", b"dome"), *x[6:]]), "line 6 was altered"),
    "journal: a line dropped": (_log(lambda x: x[:5] + x[6:]), "has the number 7"),
    "journal: lines swapped": (_log(_swap), "has the number 7"),
    "journal: a line twice": (_log(lambda x: [*x[:6], *x[5:]]), "has the number 6"),
    "journal: a line appended": (_log(lambda x: _rechained([*x, x[5]])), JOURNAL),
    "journal: text appended": (_log(lambda x: [*x, b"hello\n"]), "is not a line of a journal"),
    "journal: the clock moved in a line": (_log(lambda x: [*x[:5], x[5].replace(b'"time":"20', b'"time":"19'), *x[6:]]), "line 6 was altered"),
    "journal: the clock moved, chained again": (_log(lambda x: _rechained(x, _earlier)), "checkpoint"),
    "journal: the last line cut": (_log(lambda x: x[:-1]), "the end was cut off"),
    "journal: the tail cut": (_log(lambda x: x[:9]), "the end was cut off"),
    "journal: cut within a line": (_log(lambda x: [*x[:-1], x[-1][:50]]), "stops in the middle"),
    "journal: its head cut": (_log(lambda x: x[3:]), "line 1"),
    "journal: emptied": (_log(lambda _: []), "has 0 lines"),
    "journal: a checkpoint removed": (_log(lambda x: x[: _first(x)] + x[_first(x) + 1 :]), "has the number"),
    "journal: a checkpoint removed, chained again": (_log(lambda x: _rechained(x[: _first(x)] + x[_first(x) + 1 :])), "checkpoint"),
    "journal: edited, chained again": (_log(lambda x: _rechained([*x[:5], x[5].replace(b"demo", b"dome"), *x[6:]])), "checkpoint"),
    "journal: dropped, chained again": (_log(lambda x: _rechained(x[:5] + x[6:])), "checkpoint"),
    "journal: made again with another key": (lambda case, desk: _lines(case, lambda x: _rechained(x, signer=desk.forger)), "another key"),
    "journal: line ends of Windows": (_bytes(JOURNAL, lambda x: x.replace(b"\n", b"\r\n")), JOURNAL),
    "journal: a byte order mark": (_bytes(JOURNAL, lambda x: b"\xef\xbb\xbf" + x), "line 1"),
    "journal: removed": (lambda case, _: (case / JOURNAL).unlink(), "journal.jsonl is missing"),
    "journal: a link to a copy": (_link(JOURNAL), "not an ordinary file"),
    "journal: that of another case": (_from_another(JOURNAL), JOURNAL),
    "file: edited": (_bytes("report.html", lambda x: x.replace(b"Report", b"Repost")), "report.html was altered"),
    "file: longer": (_bytes("report.html", lambda x: x + b"\n"), "report.html was altered"),
    "file: shorter": (_bytes("exports/list.csv", lambda x: x[:-1]), "exports/list.csv was altered"),
    "file: emptied": (_bytes("exports/list.csv", lambda _: b""), "exports/list.csv was altered"),
    "file: removed": (lambda case, _: (case / "report.html").unlink(), "report.html is missing"),
    "file: added": (lambda case, _: (case / "note.txt").write_text("x"), "note.txt was added"),
    "file: added out of sight": (lambda case, _: (case / ".note").write_text("x"), ".note was added"),
    "file: added in a folder": (lambda case, _: (case / "exports" / "timestamp-1.tsr").write_text("x"), "exports/timestamp-1.tsr was added"),
    "file: two exchanged": (lambda case, _: ((case / "report.html").rename(case / "x"), (case / "exports/list.csv").rename(case / "report.html"), (case / "x").rename(case / "exports/list.csv")), "report.html was altered"),
    "file: renamed": (lambda case, _: (case / "report.html").rename(case / "Report.html"), "report.html is missing"),
    "file: its name in another form of Unicode": (_renamed, "was added"),
    "file: a link to a copy": (_link("report.html"), "report.html is a link"),
    "file: a hard link is fine, a folder in its place is not": (lambda case, _: ((case / "report.html").unlink(), (case / "report.html").mkdir()), "report.html is missing"),
    "file: edited, with a fresh manifest": (lambda case, _: _remanifest(case, "report.html"), "manifest.json was altered"),
    "folder: a link to a copy": (_link("exports"), "exports is a link"),
    "manifest: a size edited": (_json(MANIFEST, lambda x: x["files"][0].update(size=1), lambda x: json.dumps(x, indent=1).encode() + b"\n"), "manifest.json was altered"),
    "manifest: a row dropped": (_json(MANIFEST, lambda x: x["files"].pop(), lambda x: json.dumps(x, indent=1).encode() + b"\n"), "manifest.json was altered"),
    "manifest: a row twice": (_json(MANIFEST, lambda x: x["files"].append(x["files"][0]), lambda x: json.dumps(x, indent=1).encode() + b"\n"), "manifest.json was altered"),
    "manifest: rows in another order": (_json(MANIFEST, lambda x: x["files"].reverse(), lambda x: json.dumps(x, indent=1).encode() + b"\n"), "manifest.json was altered"),
    "manifest: the same, written otherwise": (_json(MANIFEST, lambda _: None, lambda x: json.dumps(x).encode()), "manifest.json was altered"),
    "manifest: removed": (lambda case, _: (case / MANIFEST).unlink(), "manifest.json is missing"),
    "manifest: cut": (_bytes(MANIFEST, lambda x: x[:100]), "manifest.json was altered"),
    "manifest: a link to a copy": (_link(MANIFEST), "not an ordinary file"),
    "manifest: that of another case": (_from_another(MANIFEST), "manifest.json was altered"),
    "seal: that of another case": (_from_another(SEAL), "the seal is of another case"),
    "seal: cut": (_bytes(SEAL, lambda x: x[:200]), "seal.json was altered"),
    "seal: a link to a copy": (_link(SEAL), "not an ordinary file"),
    "seal: another name": (_json(SEAL, lambda x: x["signer"].update(name="Chief"), encode_seal), "seal.json was altered"),
    "seal: another fingerprint": (_json(SEAL, lambda x: x.update(fingerprint="0000"), encode_seal), "seal.json was altered"),
    "seal: the certificate taken out": (_json(SEAL, lambda x: x.update(certificates=[]), encode_seal), "seal.json was altered"),
    "seal: the same, written otherwise": (_json(SEAL, lambda _: None, lambda x: json.dumps(x).encode()), "seal.json was altered"),
    "seal: a field twice": (_bytes(SEAL, lambda x: x.replace(b'{\n "format"', b'{\n "format": "x",\n "format"')), "seal.json was altered"),
    "seal: the other signature that holds": (_low_to_high, "manifest.json was altered"),
    "seal: removed": (lambda case, _: (case / SEAL).unlink(), "is for a seal, and there is none"),
    "countersignature: its time moved": (_countersigned(lambda x: x[0].update(time="2020" + x[0]["time"][4:])), "signature 1 does not fit"),
    "countersignature: another name": (_countersigned(lambda x: x[0].update(name="Chief")), "signature 1 does not fit"),
    "countersignature: another key": (_countersigned(lambda x: x[0].update(public_key=x[1]["public_key"])), "signature 1 does not fit"),
    "countersignature: two signatures exchanged": (_countersigned(lambda x: (x[0].update(signature=x[1]["signature"]))), "signature 1 does not fit"),
    "countersignature: the first dropped": (_countersigned(lambda x: x.pop(0)), "does not follow the one before"),
    "countersignature: another order": (_countersigned(lambda x: x.reverse()), "does not follow the one before"),
    "countersignature: one twice": (_countersigned(lambda x: x.append(x[1])), "does not follow the one before"),
    "countersignature: that of another case": (_from_another(COUNTERSIGN), "is of another case"),
    "countersignature: cut": (_bytes(COUNTERSIGN, lambda x: x[:300]), "countersign.json was altered"),
    "countersignature: emptied": (_bytes(COUNTERSIGN, lambda _: b""), "countersign.json is empty"),
    "countersignature: the same, written otherwise": (_json(COUNTERSIGN, lambda _: None, lambda x: json.dumps(x).encode()), "countersign.json was altered"),
    "countersignature: nested": (_bytes(COUNTERSIGN, lambda _: b"[" * 100_000), "countersign.json was altered"),
    "countersignature: a link to a copy": (_link(COUNTERSIGN), "not an ordinary file"),
    "time stamp: that of another case": (_from_another(STAMP), "is for something else than this manifest"),
    "time stamp: cut": (_bytes(STAMP, lambda x: x[:-20]), "timestamp-1.tsr"),
    "time stamp: longer": (_bytes(STAMP, lambda x: x + b"\0"), "timestamp-1.tsr"),
    "time stamp: its signature changed": (_bytes(STAMP, lambda x: x[:-5] + bytes([x[-5] ^ 1]) + x[-4:]), "timestamp-1.tsr"),
    "time stamp: its time changed": (_bytes(STAMP, lambda x: x.replace(datetime.datetime.now(datetime.UTC).strftime("%Y").encode(), b"2001", 1)), "timestamp-1.tsr"),
    "time stamp: emptied": (_bytes(STAMP, lambda _: b""), "timestamp-1.tsr is empty"),
    "time stamp: text": (lambda case, _: (case / "timestamp-2.tsr").write_text("hello"), "timestamp-2.tsr is damaged"),
    "time stamp: a link to a copy": (_link(STAMP), "not an ordinary file"),
    "PDF: a byte changed": (_bytes("report.pdf", lambda x: x[:700] + bytes([x[700] ^ 1]) + x[701:]), "report.pdf"),
    "PDF: the signature cut off": (_bytes("report.pdf", lambda x: x[: x.index(b"%%EOF") + 6]), "report.pdf was altered"),
    "PDF: signed by another, sealed by the right one": (_pdf_by, "report.pdf was signed with another key"),
    "PDF: added to, sealed by the right one": (_pdf_continued, "report.pdf was added to after it was signed"),
}  # fmt: skip


def test_the_control_is_intact(case: Path, desk: Desk) -> None:
    verdict = desk.verify(case)
    assert (verdict.state, verdict.exit_code, verdict.problems, verdict.notes) == ("intact_known", 0, [], [])
    assert verdict.signer == "Stick 7"
    assert [(item.identity.name, item.identity.known) for item in verdict.countersigned] == [("PC Demo", True), ("Sgt Demo", True)]
    assert [(stamp.authority, stamp.known) for stamp in verdict.timestamps] == [("Stamp House", True)]
    assert verdict.report_pdf == "signed"
    json.dumps(verdict.to_json())
    said = "\n".join(verdict.lines())
    assert said.startswith("INTACT, SIGNER KNOWN.")
    assert "Countersigned by PC Demo, who is known, at 20" in said
    assert "Stamp House says that this case existed at 20" in said


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
@pytest.mark.parametrize("name", ALTERED)
def test_tampering_is_noticed(case: Path, desk: Desk, name: str) -> None:
    change, word = ALTERED[name]
    change(case, desk)
    verdict = desk.verify(case)
    assert (verdict.state, verdict.exit_code) == ("altered", 1), verdict.lines()
    assert any(word in problem for problem in verdict.problems), verdict.problems


# --- nothing was changed, but the signer is not to be believed -------------------------------------------------------------------------


def _sealed_by(case: Path, desk: Desk, signer: Signer) -> Verdict:
    made = make(case.parent / "made", signer)
    return desk.verify(made)


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("expired", "was not valid when it was used"),
        ("not valid yet", "was not valid when it was used"),
        ("an authority of the same name", "nobody who is trusted has certified"),
        ("no certificate", "no certificate for it is in the seal"),
        ("a key of the case", "no certificate for it is in the seal"),
        ("the certificate of somebody else", "no certificate for it is in the seal"),
    ],
)
def test_signers_that_are_not_believed(case: Path, desk: Desk, who: str, why: str) -> None:
    signer = {
        "expired": lambda: desk.authority.signer("Stick 7", days=(-90, -1)),
        "not valid yet": lambda: desk.authority.signer("Stick 7", days=(1, 90)),
        "an authority of the same name": lambda: desk.forger,
        "no certificate": lambda: Signer(desk.stick.private_key.__class__ and ec.generate_private_key(ec.SECP256R1()), True, "Stick 7"),
        "a key of the case": case_signer,
        "the certificate of somebody else": lambda: Signer(Ed25519PrivateKey.generate(), True, "Stick 7", list(desk.stick.certificates)),
    }[who]()
    verdict = _sealed_by(case, desk, signer)
    assert verdict.state == "intact_unknown"
    assert why in verdict.signer_reason
    assert verdict.lines()[0].startswith("INTACT, SIGNER NOT KNOWN")


def test_everything_made_again_by_a_forger(case: Path, desk: Desk) -> None:
    """A whole new case with a key of his own: only the key tells, and what was added to the old case."""
    _reseal(case, desk.forger)
    (case / "report.pdf").unlink()
    verdict = desk.verify(case)
    assert verdict.state == "altered"
    for name in (COUNTERSIGN, STAMP):
        assert any(problem.startswith(name) for problem in verdict.problems), verdict.problems


@pytest.mark.parametrize(
    ("day", "stamped", "known"),
    [(-1, False, False), (-1, True, False), (1, False, False), (1, True, True), (None, True, True), (None, False, True)],
)
def test_a_withdrawn_certificate(case: Path, desk: Desk, day: int | None, stamped: bool, known: bool) -> None:
    """Withdrawn before: never. Withdrawn later: only a trusted stamp shows that the case was there before."""
    if not stamped:
        (case / STAMP).unlink()
    crl = desk.authority.revoke(*([(desk.stick.certificates[0], day)] if day is not None else []))
    verdict = verify(case, trusted=[desk.authority.path], revocations=[crl])
    assert (verdict.state == "intact_known") is known, verdict.lines()
    if not known:
        assert "was withdrawn on" in verdict.signer_reason
    assert ("only the computer's own clock" in verdict.signer_reason) is (day == 1 and not stamped)


def test_a_revocation_list_of_somebody_else_counts_for_nothing(case: Path, desk: Desk) -> None:
    crl = desk.other.revoke((desk.stick.certificates[0], -1))
    verdict = verify(case, trusted=[desk.authority.path], revocations=[crl])
    assert verdict.state == "intact_known"
    assert any("Whether a certificate was withdrawn was not checked" in note for note in verdict.notes)


@pytest.mark.parametrize("damage", ["absent", "junk", "cut"])
def test_a_revocation_list_that_cannot_be_read_is_told(case: Path, desk: Desk, damage: str, tmp_path: Path) -> None:
    path = tmp_path / "list.crl"
    if damage != "absent":
        path.write_bytes(b"junk" if damage == "junk" else desk.empty_list.read_bytes()[:200])
    verdict = verify(case, trusted=[desk.authority.path], revocations=[path])
    assert any("list.crl cannot be used" in note for note in verdict.notes)
    assert any("not checked" in note for note in verdict.notes)


def test_a_withdrawn_countersigner_and_authority_of_time(case: Path, desk: Desk) -> None:
    from cryptography import x509

    house = x509.load_pem_x509_certificate((desk.house / "crt").read_bytes())
    crl = desk.authority.revoke((desk.officer.certificates[0], -1), (house, -1))
    verdict = verify(case, trusted=[desk.authority.path], revocations=[crl])
    assert verdict.state == "intact_known"
    assert [item.identity.known for item in verdict.countersigned] == [False, True]
    assert "was withdrawn on" in verdict.countersigned[0].identity.reason
    assert [stamp.known for stamp in verdict.timestamps] == [False]
    assert "Whether to believe that is open" in "\n".join(verdict.lines())


def test_a_stamp_of_an_authority_of_the_same_name(case: Path, desk: Desk) -> None:
    (case / STAMP).write_bytes(desk.stamp(timestamp.request(case), desk.false_house))
    verdict = desk.verify(case)
    assert (verdict.state, [stamp.known for stamp in verdict.timestamps]) == ("intact_known", [False])


def test_a_countersignature_by_somebody_unknown(case: Path, desk: Desk) -> None:
    countersign.countersign(case, desk.forger)
    verdict = desk.verify(case)
    assert [item.identity.known for item in verdict.countersigned] == [True, True, False]
    assert "is not proved" in "\n".join(verdict.lines())
