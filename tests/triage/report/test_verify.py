"""Verification: an intact case passes, and every kind of tampering is noticed and named."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from triage import journal
from triage.journal import Journal
from triage.keys import Signer, case_signer
from triage.report import seal as sealing
from triage.report.seal import MANIFEST, SEAL, encode_seal, fingerprint, reopen, seal, seal_message
from triage.report.verify import Verdict, verify

JOURNAL = "journal.jsonl"
Tamper = Callable[[Path], Any]


def write(case: Path, signer: Signer, *, records: int = 25, resume: bool = False) -> Journal:
    """A scan that was not sealed yet: a journal with checkpoints, a report, a folder with a file."""
    case.mkdir(exist_ok=True)
    log = Journal(case / JOURNAL, checkpoint=signer.checkpoint, checkpoint_every=7)
    if resume:
        reopen(case, log)
    else:
        log.append("case_opened", {"case_id": "demo", "public_key": signer.public_key})
    log.append("scan_started", {"attempt": 2 if resume else 1, "public_key": signer.public_key})
    for number in range(records):
        log.append("observation", {"id": f"{number:016x}", "type": "SystemFact", "name": "demo", "value": "é" * number})
    (case / "report.html").write_text("<!doctype html><title>Report</title>")
    (case / "exports").mkdir(exist_ok=True)
    (case / "exports" / "list.csv").write_bytes(b"a,b\r\n1,2\r\n")
    return log


def sealed(case: Path, signer: Signer, **options: Any) -> Path:
    log = write(case, signer, **options)
    seal(case, log, signer)
    log.close()
    return case


@pytest.fixture(scope="module")
def signer() -> Signer:
    return case_signer()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, signer: Signer) -> Path:
    return sealed(tmp_path_factory.mktemp("original") / "case", signer)


@pytest.fixture
def case(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "case"))


def lines_of(case: Path) -> list[bytes]:
    return (case / JOURNAL).read_bytes().splitlines(keepends=True)


def put(case: Path, lines: list[bytes]) -> None:
    (case / JOURNAL).write_bytes(b"".join(lines))


def rechain(lines: list[bytes]) -> list[bytes]:
    """What a forger who knows the format writes: numbers and hashes made to fit again."""
    out, head = [], "0" * 64
    for number, line in enumerate(lines):
        value = json.loads(line)
        value["seq"], value["prev"] = number, head
        raw = journal.encode(value)
        head = hashlib.sha256(raw).hexdigest()
        out.append(raw + b"\n")
    return out


def remake_manifest(case: Path) -> bytes:
    """A manifest of the case as it lies there now."""
    files = [
        {"name": item.name, "size": item.path.stat().st_size, "sha256": hashlib.sha256(item.path.read_bytes()).hexdigest()}
        for item in sorted(sealing.case_files(case))
    ]
    data = json.dumps({"format": sealing.MANIFEST_FORMAT, "files": files}, indent=1).encode() + b"\n"
    (case / MANIFEST).write_bytes(data)
    return data


def reseal(case: Path, signer: Signer, **changes: Any) -> None:
    """A seal by another key over the case as it lies there now."""
    data = remake_manifest(case)
    digest = hashlib.sha256(data).hexdigest()
    lines = lines_of(case)
    value: dict[str, Any] = json.loads((case / SEAL).read_bytes()) | {
        "journal_head": hashlib.sha256(lines[-1].rstrip(b"\n")).hexdigest(), "journal_lines": len(lines), "manifest_sha256": digest,
        "signature": base64.b64encode(signer.sign(data)).decode(), "public_key": signer.public_key, "fingerprint": fingerprint(digest),
    }  # fmt: skip
    value |= changes
    value["seal_signature"] = base64.b64encode(signer.sign(seal_message(value))).decode()
    (case / SEAL).write_bytes(encode_seal(value))


def altered(case: Path, *words: str) -> Verdict:
    verdict = verify(case)
    assert (verdict.state, verdict.exit_code) == ("altered", 1), verdict.lines()
    assert verdict.lines()[0].startswith("ALTERED")
    for word in words:
        assert any(word in problem for problem in verdict.problems), (word, verdict.problems)
    return verdict


# --- intact ----------------------------------------------------------------------------------------------------------------------------


def test_an_intact_case(case: Path, signer: Signer) -> None:
    verdict = verify(case)
    assert (verdict.state, verdict.exit_code, verdict.problems, verdict.notes) == ("intact_unknown", 0, [], [])
    assert verdict.journal_intact
    assert verdict.files == 3
    assert verdict.journal_lines == len(lines_of(case))
    assert verdict.fingerprint == json.loads((case / SEAL).read_bytes())["fingerprint"]
    assert verdict.signer == signer.name
    assert verdict.lines()[0].startswith("INTACT, SIGNER NOT KNOWN")
    assert f"Fingerprint: {verdict.fingerprint}" in verdict.lines()


def test_a_copy_on_another_medium_stays_intact(case: Path, tmp_path: Path) -> None:
    copied = tmp_path / "elsewhere"
    shutil.copytree(case, copied)
    os.utime(copied / "report.html", (0, 0))
    assert verify(copied).exit_code == 0


def test_a_trusted_key_makes_the_signer_known(case: Path, signer: Signer, tmp_path: Path) -> None:
    ours, other = tmp_path / "stick 7.key", tmp_path / "other.key"
    ours.write_text(signer.public_key + "\n")
    other.write_text(case_signer().public_key + "\n")
    assert verify(case, trusted=[other]).state == "intact_unknown"
    known = verify(case, trusted=[other, ours])
    assert (known.state, known.exit_code, known.signer) == ("intact_known", 0, "stick 7")
    assert known.lines()[0].startswith("INTACT, SIGNER KNOWN")


def test_verifying_writes_nothing(case: Path) -> None:
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in case.rglob("*") if path.is_file()}
    verify(case)
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in case.rglob("*") if path.is_file()} == before


# --- tampering with bytes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [JOURNAL, "report.html", "exports/list.csv", MANIFEST, SEAL])
def test_any_byte_of_any_file(case: Path, name: str) -> None:
    path = case / name
    before = path.read_bytes()
    rng = random.Random(name)
    whole = range(len(before))
    for position in whole if name == SEAL else rng.sample(whole, min(60, len(before))):
        for change in (1, 0x20) if name == SEAL else (rng.randrange(1, 256),):
            path.write_bytes(before[:position] + bytes([before[position] ^ change]) + before[position + 1 :])
            verdict = verify(case)
            assert verdict.state == "altered", (position, verdict.lines())
            assert any(problem.startswith(name) for problem in verdict.problems), (position, verdict.problems)


@pytest.mark.parametrize("name", [JOURNAL, "report.html", "exports/list.csv", MANIFEST, SEAL])
@pytest.mark.parametrize("change", ["append", "cut", "empty", "newline"])
def test_longer_and_shorter_files(case: Path, name: str, change: str) -> None:
    before = (case / name).read_bytes()
    (case / name).write_bytes({"append": before + b"x", "cut": before[:-1], "empty": b"", "newline": before + b"\n"}[change])
    altered(case, name)


def test_sizes_are_told(case: Path) -> None:
    (case / "exports" / "list.csv").write_bytes(b"a")
    assert altered(case).problems == ["exports/list.csv was altered: it has 1 bytes and had 10."]


# --- tampering with the journal --------------------------------------------------------------------------------------------------------


def _edit(lines: list[bytes]) -> list[bytes]:
    return [line.replace(b'"name":"demo"', b'"name":"dome"', 1) if number == 5 else line for number, line in enumerate(lines)]


def _swap(lines: list[bytes]) -> list[bytes]:
    return [*lines[:5], lines[6], lines[5], *lines[7:]]


JOURNALS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a line edited": (_edit, "line 7: does not follow from the line before it: line 6 was altered"),
    "a line dropped": (lambda lines: lines[:5] + lines[6:], "line 6: has the number 7"),
    "lines swapped": (_swap, "line 6: has the number 7"),
    "a line doubled": (lambda lines: [*lines[:6], *lines[5:]], "line 7: has the number 6"),
    "the first line dropped": (lambda lines: lines[1:], "line 1: has the number 2"),
    "a line of another kind put in": (lambda lines: [*lines[:5], b"hello\n", *lines[5:]], "line 6: is not a line of a journal"),
    "the last line edited": (lambda lines: [*lines[:-1], lines[-1].replace(b"report.html", b"report.htmm")], "journal.jsonl, line"),
    "lines appended": (lambda lines: [*lines, _next(lines)], "lines were added after it was sealed"),
    "the last line cut": (lambda lines: lines[:-1], "the end was cut off"),
    "many lines cut": (lambda lines: lines[:9], "the end was cut off"),
    "cut in the middle of a line": (lambda lines: [*lines[:-1], lines[-1][:40]], "stops in the middle: the end was cut off"),
    "everything cut": (lambda lines: [], "has 0 lines"),
    "edited and chained again": (lambda lines: rechain(_edit(lines)), "is a checkpoint that does not fit the lines before it"),
    "dropped and chained again": (lambda lines: rechain(lines[:5] + lines[6:]), "is a checkpoint that does not fit the lines before it"),
    "the clock moved": (lambda lines: [line.replace(b'"time":"20', b'"time":"19') if number == 5 else line for number, line in enumerate(lines)], "line 7"),
}  # fmt: skip


def _next(lines: list[bytes]) -> bytes:
    head = hashlib.sha256(lines[-1].rstrip(b"\n")).hexdigest()
    value = json.loads(lines[5]) | {"seq": len(lines), "prev": head}
    return journal.encode(value) + b"\n"


@pytest.mark.parametrize("name", JOURNALS)
def test_a_journal_that_was_changed(case: Path, name: str) -> None:
    change, word = JOURNALS[name]
    put(case, change(lines_of(case)))
    verdict = altered(case, word, JOURNAL)
    assert not verdict.journal_intact


@pytest.mark.parametrize("name", [name for name in JOURNALS if "cut" not in name])
def test_a_changed_journal_with_a_fresh_manifest(case: Path, name: str) -> None:
    """The forger knows the format but has no key: the manifest fits the journal, its signature does not."""
    put(case, JOURNALS[name][0](lines_of(case)))
    remake_manifest(case)
    altered(case, MANIFEST)


@pytest.mark.parametrize("name", [name for name in JOURNALS if name != "lines appended"])
def test_a_changed_journal_without_the_seal(case: Path, name: str) -> None:
    put(case, JOURNALS[name][0](lines_of(case)))
    (case / SEAL).unlink()
    (case / MANIFEST).unlink()
    verdict = verify(case)
    assert verdict.exit_code == 1
    assert any("seal.json is missing" in problem for problem in verdict.problems)
    cut = "cut" in name
    assert verdict.state == ("unsigned" if cut else "altered"), verdict.lines()
    if cut:
        assert any("stops after line" in problem and "Signed checkpoints cover" in problem for problem in verdict.problems)


def test_a_forged_checkpoint_key(case: Path) -> None:
    """The forger signs the checkpoints again with a key of his own and names it: chain and checkpoints fit, the seal does not."""
    forger = case_signer()
    lines, head = [], "0" * 64
    for line in _edit(lines_of(case)):
        value = json.loads(line)
        value["prev"] = head
        if "public_key" in value["data"]:
            value["data"]["public_key"] = forger.public_key
        if value["kind"] == "checkpoint":
            value["data"] = {"lines": value["seq"], "head": head, "signature": forger.checkpoint(value["seq"], head)}
        raw = journal.encode(value)
        head = hashlib.sha256(raw).hexdigest()
        lines.append(raw + b"\n")
    put(case, lines)
    altered(case, JOURNAL, "made with another key")
    reseal(case, forger)
    # Everything is the forger's now: only the key and the fingerprint can tell, and they do.
    assert verify(case).state == "intact_unknown"


def test_a_journal_that_is_one_endless_line(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triage.report.chain.MAX_LINE", 1000)
    (case / JOURNAL).write_bytes(lines_of(case)[0] + b"x" * 100_000)
    altered(case, "line 2: is longer than")


def test_a_nested_bomb_in_a_line(case: Path) -> None:
    lines = lines_of(case)
    bomb = b'{"seq":1,"prev":"%s","time":"2026-01-01T00:00:00.000000Z","kind":"checkpoint","data":{"lines":%s}}\n'
    head = hashlib.sha256(lines[0].rstrip(b"\n")).hexdigest().encode()
    put(case, [lines[0], bomb % (head, b"[" * 100_000)])
    altered(case, "line 2: is not a record")


# --- tampering with files, manifest and seal -------------------------------------------------------------------------------------------


def _replace_seal(case: Path, **changes: Any) -> None:
    value = json.loads((case / SEAL).read_bytes())
    (case / SEAL).write_bytes(encode_seal(value | changes))


FILES: dict[str, tuple[Tamper, str]] = {
    "a file added": (lambda case: (case / "note.txt").write_text("x"), "note.txt was added"),
    "a file added in a folder": (lambda case: (case / "exports" / "b.csv").write_text("x"), "exports/b.csv was added"),
    "a file removed": (lambda case: (case / "report.html").unlink(), "report.html is missing"),
    "a file renamed": (lambda case: (case / "report.html").rename(case / "report2.html"), "report2.html was added"),
    "the journal removed": (lambda case: (case / JOURNAL).unlink(), "journal.jsonl is missing"),
    "the journal made a folder": (lambda case: ((case / JOURNAL).unlink(), (case / JOURNAL).mkdir()), "journal.jsonl is missing"),
    "the manifest removed": (lambda case: (case / MANIFEST).unlink(), "manifest.json is missing"),
    "the manifest made a folder": (lambda case: ((case / MANIFEST).unlink(), (case / MANIFEST).mkdir()), "manifest.json is not an ordinary file"),
    "the seal made a folder": (lambda case: ((case / SEAL).unlink(), (case / SEAL).mkdir()), "seal.json is not an ordinary file"),
    "a seal that is no seal": (lambda case: (case / SEAL).write_text("[]"), "seal.json was altered"),
    "a seal that is nested": (lambda case: (case / SEAL).write_text("[" * 100_000), "seal.json was altered"),
    "a huge seal": (lambda case: (case / SEAL).write_bytes(b" " * (2 << 20)), "far longer than one can be"),
    "another signer's name": (lambda case: _replace_seal(case, signer={"known": True, "name": "Chief"}), "seal.json was altered"),
    "another fingerprint": (lambda case: _replace_seal(case, fingerprint="0000 0000 0000 0000 0000 0000"), "seal.json was altered"),
    "another key in the seal": (lambda case: _replace_seal(case, public_key=case_signer().public_key), "seal.json was altered"),
    "lines as text": (lambda case: _replace_seal(case, journal_lines="7"), "seal.json was altered"),
    "a key that is no key": (lambda case: _replace_seal(case, public_key="ÿ"), "seal.json was altered"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files_changed(case: Path, name: str) -> None:
    FILES[name][0](case)
    altered(case, FILES[name][1])


def test_a_folder_in_place_of_manifest_and_seal_does_not_hide_files(case: Path) -> None:
    (case / SEAL).unlink()
    (case / SEAL).mkdir()
    (case / SEAL / "x").write_text("x")
    altered(case, "seal.json/x was added")


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
@pytest.mark.parametrize("target", ["/etc/hostname", "report.html", "absent", "."])
def test_links_are_reported_and_not_followed(case: Path, target: str) -> None:
    (case / "link").symlink_to(target)
    altered(case, "link is a link or another special file")
    (case / "link").unlink()
    (case / "exports" / "list.csv").unlink()
    (case / "exports" / "list.csv").symlink_to(target)
    altered(case, "exports/list.csv is a link or another special file")


@pytest.mark.skipif(os.name != "posix", reason="no such files elsewhere")
@pytest.mark.parametrize("name", [JOURNAL, SEAL, MANIFEST, "report.html", "pipe"])
def test_pipes_are_never_opened(case: Path, name: str) -> None:
    (case / name).unlink(missing_ok=True)
    os.mkfifo(case / name)
    altered(case, name)


def test_the_seal_of_another_case(case: Path, tmp_path: Path, signer: Signer) -> None:
    other = sealed(tmp_path / "other", signer, records=3)
    shutil.copy(other / SEAL, case / SEAL)
    altered(case, "the seal is of another case")
    shutil.copy(other / MANIFEST, case / MANIFEST)
    altered(case, "report.html" if (other / "report.html").read_bytes() != (case / "report.html").read_bytes() else JOURNAL)


def test_signed_again_with_another_key(case: Path) -> None:
    forger = case_signer()
    (case / "report.html").write_text("forged")
    reseal(case, forger)
    altered(
        case,
        "made with another key than the one that the journal names",
        "report.html in manifest.json is not what the journal's last line says",
    )


def test_a_manifest_without_a_file_signed_again(case: Path, signer: Signer) -> None:
    (case / "report.html").unlink()
    reseal(case, signer)
    altered(case, "report.html in manifest.json is not what the journal's last line says")


def test_a_manifest_row_given_twice(case: Path, signer: Signer) -> None:
    value = json.loads((case / MANIFEST).read_bytes())
    value["files"].append(value["files"][0])
    (case / MANIFEST).write_text(json.dumps(value))
    altered(case, "manifest.json is not a list of files")


@pytest.mark.parametrize(
    "changes",
    [
        {"journal_lines": 3},
        {"journal_lines": 10**9},
        {"journal_lines": -1},
        {"journal_head": "0" * 64},
        {"fingerprint": "AAAA"},
        {"certificates": ["junk"]},
        {"signature": base64.b64encode(bytes(64)).decode()},
    ],
)
def test_a_seal_signed_with_the_right_key_that_says_something_else(case: Path, signer: Signer, changes: dict[str, Any]) -> None:
    reseal(case, signer, **changes)
    verdict = verify(case)
    assert verdict.state == ("intact_unknown" if "certificates" in changes else "altered")


# --- unsigned ----------------------------------------------------------------------------------------------------------------------------


def test_the_seal_removed(case: Path) -> None:
    (case / SEAL).unlink()
    verdict = verify(case)
    assert (verdict.state, verdict.exit_code) == ("unsigned", 1)
    assert verdict.problems == [
        "seal.json is missing: there is no signature.",
        "journal.jsonl says that the case was sealed: the seal was taken away, or could not be written.",
    ]
    (case / "report.html").write_text("changed")
    assert verify(case).state == "altered"
    (case / MANIFEST).unlink()
    altered(case, "report.html was altered: the journal's last line knows it with other content")


def test_a_scan_that_was_cut_off(tmp_path: Path, signer: Signer) -> None:
    log = write(tmp_path / "case", signer)
    log.close()
    with open(tmp_path / "case" / JOURNAL, "ab") as file:
        file.write(b'{"seq":29,"prev"')
    verdict = verify(tmp_path / "case")
    assert verdict.state == "unsigned"
    assert len(verdict.problems) == 2
    assert "Signed checkpoints cover the first 23 lines" in verdict.problems[1]


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_text("a file")])
def test_no_case_at_all(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    make(tmp_path / "case")
    verdict = verify(tmp_path / "case")
    assert (verdict.state, verdict.exit_code, len(verdict.problems)) == ("unsigned", 1, 1)


def test_a_folder_that_is_no_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        (tmp_path / f"f{number}").write_text("x")
    assert verify(tmp_path).exit_code == 1
    monkeypatch.setattr(sealing, "MAX_FILES", 20)
    altered(tmp_path, "it is no case folder")


def test_random_damage_never_raises_and_never_passes(case: Path) -> None:
    rng = random.Random(23)
    originals = {path: path.read_bytes() for path in case.rglob("*") if path.is_file()}
    for _ in range(80):
        changed = rng.sample(sorted(originals), rng.randrange(1, 4))
        for path in changed:
            data = bytearray(originals[path])
            del data[rng.randrange(len(data)) :]
            data += rng.randbytes(rng.randrange(50))
            path.write_bytes(data)
        if any(path.read_bytes() != data for path, data in originals.items()):
            assert verify(case).exit_code == 1
        for path in changed:
            path.write_bytes(originals[path])
    assert verify(case).exit_code == 0


# --- going on after a stop ---------------------------------------------------------------------------------------------------------------


def test_a_resumed_case_with_a_second_key(case: Path) -> None:
    old = json.loads((case / SEAL).read_bytes())
    sealed(case, case_signer(), resume=True)
    verdict = verify(case)
    assert (verdict.state, verdict.problems) == ("intact_unknown", [])
    assert verdict.notes == ["The scan was begun again: 2 keys were used, the last one sealed the case."]
    record = next(item for item in journal.read(case / JOURNAL) if item.kind == "unsealed")
    assert record.data["fingerprint"] == old["fingerprint"]
    assert record.data["files"][MANIFEST] == old["manifest_sha256"]
    assert record.data["state"] == "intact_unknown"


def test_going_on_does_not_launder_a_journal(case: Path, signer: Signer) -> None:
    """A forger chains the journal again, with checkpoints of a key of his own, and lets the program go on and seal."""
    forger = case_signer()
    lines, head = [], "0" * 64
    for line in _edit(lines_of(case)):
        value = json.loads(line)
        if value["kind"] == "checkpoint":
            value["data"] = {"lines": value["seq"], "head": head, "signature": forger.checkpoint(value["seq"], head)}
        if "public_key" in value["data"]:
            value["data"]["public_key"] = forger.public_key
        value["prev"] = head
        raw = journal.encode(value)
        head = hashlib.sha256(raw).hexdigest()
        lines.append(raw + b"\n")
    put(case, lines)
    sealed(case, signer, resume=True)
    altered(case, "says that the journal did not match its seal when the scan went on")


def test_a_report_changed_before_going_on_is_noted(case: Path, signer: Signer) -> None:
    (case / "report.html").write_text("stale")
    sealed(case, signer, resume=True)
    verdict = verify(case)
    assert (verdict.state, len(verdict.notes)) == ("intact_unknown", 1)
    assert "was not as it had been sealed" in verdict.notes[0]


@pytest.mark.parametrize("left", [[], [MANIFEST], [MANIFEST, SEAL]])
def test_going_on_after_a_stop_while_sealing(case: Path, signer: Signer, left: list[str]) -> None:
    for name in {MANIFEST, SEAL} - set(left):
        (case / name).unlink()
    (case / f".{MANIFEST}.tmp").write_text("half")
    sealed(case, signer, resume=True)
    assert verify(case).state == "intact_unknown"


def test_a_second_key_that_the_journal_does_not_name(tmp_path: Path, signer: Signer) -> None:
    case = tmp_path / "case"
    write(case, signer).close()
    other = case_signer()
    log = Journal(case / JOURNAL, checkpoint=other.checkpoint)
    seal(case, log, other)
    log.close()
    altered(case, "is a checkpoint with a wrong signature", "made with another key")


def test_the_clock_going_back_is_noted(tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(f"2026-01-01T00:00:{second:02d}.000000Z" for second in [5, 6, 4, *range(7, 60)])
    monkeypatch.setattr(journal, "now", lambda: next(times))
    verdict = verify(sealed(tmp_path / "case", signer, records=5))
    assert (verdict.state, verdict.notes) == ("intact_unknown", ["The clock of the computer went back before journal line 3."])
