"""``triage countersign``, ``timestamp``, ``verify``, ``report`` on a case sealed with a stick's key, as the station does it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from triage.cli import application
from triage.journal import Journal
from triage.keys import SigningKeyError, load_signer
from triage.report import pdf_signature, write_reports
from triage.report.seal import seal
from triage.report.verify import verify

PASSPHRASE = "correct horse 7"


class Station:
    """A sealed case, an officer's key file, the commands."""

    def __init__(self, folder: Path, authority: Any, key_files: Any) -> None:
        self.folder, self.authority = folder, authority
        self.case = folder / "case"
        self.case.mkdir()
        self.stick = authority.signer("Stick 7")
        log = Journal(self.case / "journal.jsonl", checkpoint=self.stick.checkpoint)
        log.append("case_opened", {"case_id": "c", "tool": {"name": "triage", "version": "0", "self_sha256": "00"}, "profile": {"name": "quick"}, "visit": None,
                                   "rules": {}, "hash_sets": [], "arguments": [], "public_key": self.stick.public_key})  # fmt: skip
        log.append("scan_started", {"attempt": 1, "time_budget": None, "public_key": self.stick.public_key})
        log.append("scan_finished", {"complete": True, "reason": ""})
        log.flush()
        write_reports(self.case)
        self.unsigned = (self.case / "report.pdf").read_bytes()
        seal(self.case, log, self.stick)
        log.close()
        self.key = key_files(authority.signer("PC Demo"), folder / "officer.pem")

    def run(self, *arguments: str | Path, code: int = 0) -> str:
        done = CliRunner().invoke(application(str(arguments[0])), list(map(str, arguments)), env={"TRIAGE_PASSPHRASE": PASSPHRASE})
        assert done.exit_code == code, done.output
        return done.output

    def verify(self, code: int = 0) -> str:
        return self.run("verify", self.case, "--trusted", self.authority.path, "--crl", self.authority.revoke(), code=code)


@pytest.fixture
def station(tmp_path: Path, authority: Any, key_files: Any) -> Station:
    return Station(tmp_path, authority, key_files)


def test_countersigning_changes_nothing(station: Station) -> None:
    before = {path.name: path.read_bytes() for path in station.case.iterdir()}
    assert "Countersigned by PC Demo" in station.run("countersign", station.case, "--key", station.key)
    after = {path.name: path.read_bytes() for path in station.case.iterdir()}
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"countersign.json"}
    said = station.verify()
    assert "INTACT, SIGNER KNOWN" in said
    assert "Countersigned by PC Demo, who is known" in said
    facts = json.loads(station.run("verify", station.case, "--json"))
    assert facts["countersigned"][0]["identity"]["name"] == "PC Demo"


def test_an_altered_case_is_not_countersigned(station: Station) -> None:
    (station.case / "report.html").write_text("x")
    assert "ALTERED" in station.run("countersign", station.case, "--key", station.key, code=1)
    assert "ALTERED" in station.run("timestamp", station.case, "--request", station.folder / "q", code=1)
    assert not (station.case / "countersign.json").exists()


def test_a_case_without_a_seal_is_not_countersigned(station: Station) -> None:
    (station.case / "seal.json").unlink()
    assert "NOT SIGNED" in station.run("countersign", station.case, "--key", station.key, code=1)


def test_wrong_use(station: Station) -> None:
    assert "name your key" in station.run("countersign", station.case, code=2)
    assert "say which step" in station.run("timestamp", station.case, code=2)
    assert "is not a folder" in station.run("countersign", station.folder / "absent", "--key", station.key, code=2)
    assert "outside its folder" in station.run("timestamp", station.case, "--request", station.case / "q", code=2)
    junk = station.folder / "junk"
    junk.write_bytes(b"junk")
    assert "is damaged, or is no time stamp" in station.run("timestamp", station.case, "--response", junk, code=2)
    assert sorted(path.name for path in station.case.iterdir() if path.name.startswith("timestamp")) == []


def test_what_a_pulled_stick_left_does_not_stand_in_the_way(station: Station) -> None:
    (station.case / ".countersign.json.part").write_bytes(b"{")
    station.run("countersign", station.case, "--key", station.key)
    station.verify()


@pytest.mark.tools
def test_a_time_stamp_in_two_steps(station: Station) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not installed")
    request = station.folder / "q.tsq"
    station.run("timestamp", station.case, "--request", request)
    text = subprocess.run(["openssl", "ts", "-query", "-in", request, "-text"], capture_output=True, text=True, check=True).stdout
    assert "Hash Algorithm: sha256" in text
    assert "Certificate required: yes" in text
    assert "is there already" in station.run("timestamp", station.case, "--request", request, code=2)


def test_the_reports_of_a_signed_case_are_the_same(station: Station) -> None:
    signed = (station.case / "report.pdf").read_bytes()
    assert signed.startswith(station.unsigned)
    assert len(signed) > len(station.unsigned)
    assert "nothing was changed" in station.run("report", station.case)
    (station.case / "report.pdf").write_bytes(signed + b"%")
    assert "report.pdf would come out differently" in station.run("report", station.case, code=1)
    (station.case / "report.pdf").write_bytes(station.unsigned.replace(b"/Creator", b"/Creatur") + signed[len(station.unsigned) :])
    assert "report.pdf would come out differently" in station.run("report", station.case, code=1)


@pytest.mark.tools
def test_pdfsig_and_pyhanko_agree(station: Station) -> None:
    """An independent reader of signatures: poppler's, with the network security services."""
    if shutil.which("pdfsig") is None:
        pytest.skip("pdfsig (poppler-utils) is not installed")
    path = station.case / "report.pdf"
    whole = path.read_bytes()
    assert pdf_signature.check_pdf(whole) == (station.stick.public_key, "")
    said = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid." in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said
    at = whole.index(b"/Producer") + 12
    for changed in (whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], whole[:20] + b"x" + whole[21:]):
        path.write_bytes(changed)
        assert pdf_signature.check_pdf(changed)[1] == "has a signature that does not fit"
        said = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=False).stdout
        assert "Signature is Valid." not in said
        assert verify(station.case).state == "altered"


def test_hostile_pdfs_never_raise(station: Station) -> None:
    import random

    whole = (station.case / "report.pdf").read_bytes()
    rng = random.Random(3)
    start, end = whole.rindex(b"/Contents <"), whole.rindex(b"/Filter")
    for _ in range(15):
        at = rng.randrange(len(station.unsigned), len(whole))
        key, problem = pdf_signature.check_pdf(whole[:at] + bytes([whole[at] ^ rng.randrange(1, 256)]) + whole[at + 1 :])
        # What fills up the place of the signature is signed by nothing in a PDF: only the manifest knows it.
        assert problem or key is None or start <= at < end
        key, problem = pdf_signature.check_pdf(whole[:at])
        assert problem or key is None
    assert pdf_signature.check_pdf(b"")[1]
    assert pdf_signature.check_pdf(station.unsigned) == (None, "")


def test_an_rsa_key_signs_a_pdf(station: Station, authority: Any) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    path = station.folder / "r.pdf"
    path.write_bytes(station.unsigned)
    pdf_signature.sign_pdf(path, key, [authority.issue(key, "Stick R")])
    assert pdf_signature.check_pdf(path.read_bytes()) == ("", "")
    with pytest.raises(ValueError, match="signed already"):
        pdf_signature.sign_pdf(path, key, [authority.issue(key, "Stick R")])
    path.write_bytes(b"%PDF-1.7 junk")
    with pytest.raises(ValueError, match="cannot be signed"):
        pdf_signature.sign_pdf(path, key, [authority.issue(key, "Stick R")])


def test_p256_keys_in_files(station: Station, key_files: Any, authority: Any) -> None:
    signer = load_signer(station.key, lambda: PASSPHRASE)
    assert (signer.known, signer.name, len(signer.public_key), len(signer.sign(b"x"))) == (True, "PC Demo", 88, 64)
    wrong = key_files(authority.signer("PC Other"), station.folder / "wrong.pem")
    shutil.copy(station.key.with_suffix(".crt"), wrong.with_suffix(".crt"))
    with pytest.raises(SigningKeyError, match="is not for the key"):
        load_signer(wrong, lambda: PASSPHRASE)
