"""Sealed cases: what a lost stick shows, what the unit gets, and what cannot be done to them unnoticed."""

from __future__ import annotations

import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyrage import x25519

from triage import casefolder
from triage.journal import Journal, read
from triage.keys import Signer, case_signer
from triage.report import sealing, write_reports
from triage.report.files import temporary
from triage.report.seal import SEAL, reopen, seal
from triage.report.sealing import SealedCase, Sealing, SealingError, create, extract, read_identities, read_recipients, unseal
from triage.report.timeline import sort_lines
from triage.report.verify import verify

TERM = "zebracrossing"
REFERENCE = "OM-2026-0417"
PASSPHRASE = "correct horse 7"
NAMES = ["journal.jsonl", "manifest.json", "report.html", "report.json", "report.pdf", "seal.json", "timeline.csv"]
UNIT = x25519.Identity.generate()


def sealed_with(passphrase: str | None = None) -> Sealing:
    return Sealing((str(UNIT.to_public()),), passphrase)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return case_signer()


def begin(case: casefolder.CaseFolder, signer: Signer, *, resume: bool = False) -> Journal:
    log = Journal(case / "journal.jsonl", checkpoint=signer.checkpoint, checkpoint_every=5)
    if not resume:
        log.append("case_opened", {"case_id": "c", "tool": {"name": "triage", "version": "0", "self_sha256": "00"}, "profile": {"name": "quick"},
                                   "visit": None, "rules": {}, "hash_sets": [], "arguments": [REFERENCE], "public_key": signer.public_key})  # fmt: skip
    else:
        reopen(case, log)
    log.append("scan_started", {"attempt": 1 + resume, "time_budget": None, "public_key": signer.public_key})
    return log


def finish(case: casefolder.CaseFolder, log: Journal, signer: Signer, *, count: int = 12) -> None:
    for number in range(count):
        log.append("error", {"where": TERM, "reason": f"/Users/{TERM}/{number}"})
        if number % 4 == 3:
            log.flush(durable=True)
    log.append("scan_finished", {"complete": True, "reason": ""})
    log.flush()
    write_reports(case)
    seal(case, log, signer)
    log.close()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, signer: Signer) -> Path:
    folder = tmp_path_factory.mktemp("stick")
    case = create(folder, sealed_with())
    finish(case, begin(case, signer), signer)
    case.finish()
    case.close()
    return folder


@pytest.fixture
def stick(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "stick"))


def opened(folder: Path, **options: Any) -> SealedCase:
    return unseal(folder, **({"identities": [UNIT]} | options))


def records(folder: Path) -> tuple[bytes, list[bytes]]:
    """The head of a container, and its sessions and records as they lie there."""
    data = (folder / casefolder.SEALED).read_bytes()
    at = 12 + int.from_bytes(data[8:12], "big")
    head, parts = data[:at], []
    while at < len(data):
        size = 17 if data[at : at + 1] == b"S" else 5 + int.from_bytes(data[at + 1 : at + 5], "big")
        parts.append(data[at : at + size])
        at += size
    return head, parts


def put(folder: Path, data: bytes) -> None:
    (folder / casefolder.SEALED).write_bytes(data)


def told(folder: Path, out: Path) -> str:
    """What is wrong with a container, however it is told; empty for nothing. What can be read of the journal is a piece of the true one."""
    try:
        case = opened(folder)
    except SealingError as error:
        return str(error)
    with case.file:
        names = extract(case, out)
        if "journal.jsonl" in names:
            list(read(out / "journal.jsonl"))
        return case.problem or ("" if case.closed else "it was not closed")


# --- the unit ---------------------------------------------------------------------------------------------------------------------------


def test_the_unit_opens_an_ordinary_case(stick: Path, tmp_path: Path, signer: Signer) -> None:
    assert [path.name for path in stick.iterdir()] == [casefolder.SEALED]
    case = opened(stick)
    assert case.closed
    assert not case.problem
    assert case.names() == NAMES
    assert extract(case, tmp_path / "out") == NAMES
    case.close()
    verdict = verify(tmp_path / "out")
    assert (verdict.state, verdict.problems) == ("intact_unknown", [])
    again = write_reports(tmp_path / "out", _empty(tmp_path / "again"))
    assert again == {name: sealing.hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() for name in again}


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_verifying_what_is_encrypted_says_so(stick: Path) -> None:
    verdict = verify(stick)
    assert (verdict.state, verdict.exit_code) == ("encrypted", 1)
    assert "triage open" in "\n".join(verdict.lines())


def test_keys_and_passphrases(tmp_path: Path, signer: Signer) -> None:
    case = create(_empty(tmp_path / "a"), sealed_with(PASSPHRASE))
    begin(case, signer).close()
    case.close()
    for options in (
        {"identities": [UNIT]},
        {"identities": [x25519.Identity.generate(), UNIT]},
        {"identities": (), "passphrase": PASSPHRASE},
    ):
        assert opened(tmp_path / "a", **options).names() == ["journal.jsonl"]
    with pytest.raises(SealingError, match="passphrase is wrong"):
        opened(tmp_path / "a", identities=(), passphrase="Correct horse 7")
    with pytest.raises(SealingError, match="the key is not one that the case was sealed to"):
        opened(tmp_path / "a", identities=[x25519.Identity.generate()])
    with pytest.raises(SealingError, match="a key or the officer's passphrase is needed"):
        opened(tmp_path / "a", identities=())
    create(_empty(tmp_path / "b"), sealed_with()).close()
    with pytest.raises(SealingError, match="sealed without a passphrase"):
        opened(tmp_path / "b", identities=(), passphrase=PASSPHRASE)
    with pytest.raises(SealingError, match="already"):
        create(tmp_path / "b", sealed_with())


def test_the_key_is_wrapped_in_plain_age(stick: Path) -> None:
    """The unit is not bound to this program: age itself opens the key."""
    import base64

    import pyrage

    data = (stick / casefolder.SEALED).read_bytes()
    header = json.loads(data[12 : 12 + int.from_bytes(data[8:12], "big")])
    assert base64.b64decode(header["recipients"]).startswith(b"age-encryption.org/v1\n-> X25519 ")
    assert len(pyrage.decrypt(base64.b64decode(header["recipients"]), [UNIT])) == 32


# --- the lost stick ---------------------------------------------------------------------------------------------------------------------


def _shown(folder: Path) -> bytes:
    names = "\n".join(str(path.relative_to(folder)) for path in folder.rglob("*"))
    return names.encode() + b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_nothing_is_shown_at_any_moment(tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = 0
    record = SealedCase.record

    def watched(self: SealedCase, *arguments: Any) -> Any:
        nonlocal moments
        out = record(self, *arguments)
        moments += 1
        shown = _shown(tmp_path)
        for word in (TERM, REFERENCE, "journal", "report", "case_opened", "<html"):
            for form in (word.encode(), word.encode("utf-16-le")):
                assert form not in shown, (moments, word)
        return out

    monkeypatch.setattr(SealedCase, "record", watched)
    case = create(_empty(tmp_path / "stick"), sealed_with(PASSPHRASE))
    finish(case, begin(case, signer), signer)
    case.finish()
    case.close()
    assert moments > 20
    monkeypatch.undo()
    out = tmp_path / "out"
    extract(opened(tmp_path / "stick"), out)
    assert TERM.encode() in _shown(out)


def test_what_does_not_fit_in_memory_is_encrypted_too(tmp_path: Path) -> None:
    case = create(_empty(tmp_path / "stick"), sealed_with())
    lines = [f"{random.Random(number).random()} {TERM}\n" for number in range(3000)]
    assert list(sort_lines(lines, case, chunk_bytes=20_000)) == sorted(lines)
    file = temporary(case)
    file.write(f"{TERM}\n" * 100_000)
    file.seek(0)
    assert isinstance(file, io.TextIOWrapper)
    raw: Any = file.buffer
    written = os.pread(raw._file.fileno(), 10 << 20, 0)
    assert len(written) > 1_000_000
    assert TERM.encode() not in written
    assert file.read() == f"{TERM}\n" * 100_000
    assert list(sort_lines(lines, tmp_path, chunk_bytes=20_000)) == sorted(lines)


EVIDENCE = f"Users/person/{TERM}.txt"


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "lists" / "words.csv"
    path.parent.mkdir()
    path.write_text("term,category,severity,form\nlighthouse,demo,4,word\n")
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with a file of that name and a browser's database of that page."""
    import sqlite3

    folder = tmp_path / "evidence"
    profile = folder / "Users/person/AppData/Local/Google/Chrome/User Data/Default"
    profile.mkdir(parents=True)
    (folder / EVIDENCE).write_text(f"{TERM} and lighthouse\n")
    with sqlite3.connect(profile / "History") as database:
        database.executescript(
            "CREATE TABLE meta(key, value); CREATE TABLE urls(id INTEGER PRIMARY KEY, url, title, visit_count, typed_count, last_visit_time, hidden);"
            "CREATE TABLE visits(id INTEGER PRIMARY KEY, url, visit_time, from_visit, transition, segment_id, visit_duration);"
        )
        database.execute("INSERT INTO urls VALUES (1, ?, ?, 1, 0, 13400000000000000, 0)", (f"https://example.org/{TERM}", TERM))
        database.execute("INSERT INTO visits VALUES (1, 1, 13400000000000000, 0, 1, 0, 0)")
    database.close()
    return folder


def _scan(tmp_path: Path, source: Path, words: Path, *more: str | Path, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    unit = tmp_path / "unit.txt"
    unit.write_text(f"# the unit\n{UNIT.to_public()}\n")
    (tmp_path / "temporary").mkdir(exist_ok=True)
    environment = os.environ | {"TMPDIR": str(tmp_path / "temporary"), "TRIAGE_SEAL_PASSPHRASE": PASSPHRASE, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [*before, sys.executable, "-m", "triage.cli", "scan", source, "--case", tmp_path / "stick" / "c1", "--keywords", words, "--workers", "1", "-q", "--seal-to", unit, *more]  # fmt: skip
    (tmp_path / "stick").mkdir(exist_ok=True)
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment, check=False)


@pytest.mark.slow
@pytest.mark.tools
def test_a_scan_writes_one_file_and_nothing_else_anywhere(tmp_path: Path, source: Path, words: Path) -> None:
    """Every file that any process of a scan opened for writing, and every name it made, by strace: SQLite's own and compiled lists included."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    visit = tmp_path / "visit.yaml"
    visit.write_text(
        f"reference: {REFERENCE}\nofficer: {{name: A. Example, number: '4321', force: Example}}\nsubject: {{reference: S-1189}}\n"
        f"authority: {{basis: order, reference: SHPO 1}}\nkeywords: [{TERM}]\n"
    )
    log = tmp_path / "strace.log"
    traced = "openat,open,creat,rename,renameat,renameat2,mkdir,mkdirat,link,linkat,symlink,symlinkat"
    done = _scan(tmp_path, source, words, "--visit", visit, before=("strace", "-f", "-o", str(log), "-e", f"trace={traced}", "-s", "4096"))
    if "ptrace" in done.stderr.lower() and not log.stat().st_size:
        pytest.skip("tracing is not allowed here")
    assert done.returncode in (0, 3), done.stderr
    extract(opened(tmp_path / "stick" / "c1"), tmp_path / "out")
    assert TERM in (tmp_path / "out" / "journal.jsonl").read_text()
    made = set()
    for line in log.read_text(errors="replace").splitlines():
        match = re.search(r'(open|openat|creat|rename\w*|mkdir\w*|link\w*|symlink\w*)\([^"]*"([^"]*)"(.*)', line)
        if match and (match[1] not in ("open", "openat") or re.search(r"O_WRONLY|O_RDWR|O_CREAT", match[3])) and " = -1 " not in line:
            made.add(match[2])
    mine = {name for name in made if name.startswith(str(tmp_path)) or not name.startswith(("/dev/", "/proc/"))}
    stick = tmp_path / "stick" / "c1"
    allowed = (re.escape(str(stick)), re.escape(f"{stick}/case.sealed"), re.escape(f"{stick}/.write-test-") + r"\d+", re.escape(str(words.parent)) + "/triage-compiled.*")  # fmt: skip
    assert f"{stick}/case.sealed" in mine
    odd = sorted(name for name in mine if not any(re.fullmatch(pattern, name) for pattern in allowed))
    assert odd == []
    shown = _shown(tmp_path / "stick") + _shown(tmp_path / "temporary") + _shown(words.parent)
    assert TERM.encode() not in shown
    assert REFERENCE.encode() not in shown


@pytest.mark.slow
def test_a_scan_that_goes_on_and_is_opened_at_the_unit(tmp_path: Path, source: Path, words: Path) -> None:
    done = _scan(tmp_path, source, words, "--time-budget", "1h")
    assert done.returncode in (0, 3), done.stderr
    again = _scan(tmp_path, source, words)
    assert again.returncode in (0, 3), again.stderr
    assert TERM.encode() not in _shown(tmp_path / "stick")
    key = tmp_path / "unit.key"
    key.write_text(f"# created\n{UNIT}\n")
    command = [
        sys.executable,
        "-m",
        "triage.cli",
        "open",
        str(tmp_path / "stick" / "c1"),
        "--identity",
        str(key),
        "--out",
        str(tmp_path / "out"),
    ]
    unit = subprocess.run(command, capture_output=True, text=True, check=False)
    assert unit.returncode == 0, unit.stderr
    assert "INTACT, SIGNER NOT KNOWN" in unit.stdout
    assert TERM in (tmp_path / "out" / "report.html").read_text()
    plain = subprocess.run(
        [*command[:3], "scan", str(source), "--case", str(tmp_path / "stick" / "c1")], capture_output=True, text=True, check=False
    )
    assert plain.returncode == 2
    assert "is encrypted: go on with --seal-to" in plain.stderr
    assert subprocess.run(command, capture_output=True, text=True, check=False).returncode == 1  # the folder is not empty any more


# --- pulled, cut, changed ---------------------------------------------------------------------------------------------------------------


def test_cut_anywhere(stick: Path, tmp_path: Path) -> None:
    data = (stick / casefolder.SEALED).read_bytes()
    head, parts = records(stick)
    ends = [len(head)]
    for part in parts:
        ends.append(ends[-1] + len(part))
    rng = random.Random(5)
    for number, end in enumerate([0, 5, 12, 100, len(head) - 1, *ends[:-1], *(rng.randrange(len(head), len(data)) for _ in range(40))]):
        put(stick, data[:end])
        words = told(stick, tmp_path / f"out{number}")
        assert words, end
        if end in ends:
            assert words == "it was not closed"
        elif end > len(head):
            assert "breaks off" in words
    put(stick, data)
    assert told(stick, tmp_path / "whole") == ""


def test_changed_anywhere(stick: Path, tmp_path: Path) -> None:
    data = (stick / casefolder.SEALED).read_bytes()
    rng = random.Random(6)
    for number in range(80):
        at = rng.randrange(len(data)) if number > 30 else rng.randrange(600)
        put(stick, data[:at] + bytes([data[at] ^ rng.randrange(1, 256)]) + data[at + 1 :])
        assert told(stick, tmp_path / f"out{number}"), at


def _tampered(head: bytes, parts: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    for number in (1, 5, len(parts) - 2):
        yield f"record {number} left out", parts[:number] + parts[number + 1 :]
        yield f"record {number} twice", parts[: number + 1] + parts[number:]
        yield f"records {number} exchanged", [*parts[:number], parts[number + 1], parts[number], *parts[number + 2 :]]
    yield "the session's bytes left out", parts[1:]
    yield "a session begun in between", [*parts[:5], b"S" + bytes(16), *parts[5:]]
    yield "text at the end", [*parts, b"hello"]
    yield "an impossible length", [*parts, b"R\xff\xff\xff\xff"]


def test_records_left_out_moved_or_exchanged(stick: Path, tmp_path: Path) -> None:
    head, parts = records(stick)
    for name, changed in _tampered(head, parts):
        put(stick, head + b"".join(changed))
        words = told(stick, _fresh(tmp_path))
        assert words, name


def _fresh(tmp_path: Path) -> Path:
    return tmp_path / f"out{len(list(tmp_path.iterdir()))}"


def test_a_whole_session_left_out_or_moved(stick: Path, tmp_path: Path, signer: Signer) -> None:
    """Each session has a key of its own; that one follows on another is told by the numbers in the file."""
    case = opened(stick, writable=True)
    case.record(b"A", "note.txt", b"x")
    case.finish()
    case.close()
    head, parts = records(stick)
    second = next(number for number, part in enumerate(parts) if number and part[:1] == b"S")
    for changed in (parts[second:], [*parts[second:], *parts[:second]], [*parts[:second], *parts]):
        put(stick, head + b"".join(changed))
        assert "is damaged, or was exchanged, moved or left out" in told(stick, _fresh(tmp_path))


def test_records_of_another_case(stick: Path, tmp_path: Path, signer: Signer) -> None:
    other = create(_empty(tmp_path / "other"), sealed_with())
    begin(other, signer).close()
    other.close()
    head, parts = records(stick)
    put(stick, head + b"".join(records(tmp_path / "other")[1]))
    assert "record 1 is damaged, or was exchanged" in told(stick, tmp_path / "out")
    put(stick, records(tmp_path / "other")[0] + b"".join(parts))
    assert "record 1 is damaged, or was exchanged" in told(stick, tmp_path / "out2")


def test_a_pulled_stick_costs_the_last_moment(tmp_path: Path, signer: Signer) -> None:
    folder = _empty(tmp_path / "stick")
    case = create(folder, sealed_with(PASSPHRASE))
    log = begin(case, signer)
    for number in range(30):
        log.append("error", {"where": "x", "reason": str(number)})
        log.flush(durable=True)
    case.close()
    whole = (folder / casefolder.SEALED).read_bytes()
    put(folder, whole[:-7])
    going_on = unseal(folder, passphrase=PASSPHRASE, writable=True)
    before = len(list(read(going_on / "journal.jsonl")))
    finish(going_on, begin(going_on, signer, resume=True), signer)
    going_on.finish()
    going_on.close()
    extract(opened(folder), tmp_path / "out")
    assert verify(tmp_path / "out").state == "intact_unknown"
    assert len(list(read(tmp_path / "out" / "journal.jsonl"))) > before >= 30
    assert sum(part[:1] == b"S" for part in records(folder)[1]) == 2  # another key: no number is used twice with one


@pytest.mark.parametrize("left", [b"\0" * 5000, b"R\0\0\x10\0" + bytes(4096), b"R\0\0", b"S\1\2", b"\xff" * 100])
def test_an_end_of_which_only_the_length_was_written(stick: Path, tmp_path: Path, left: bytes, signer: Signer) -> None:
    """FAT and exFAT may give a file its length before its content: what a pulled stick leaves is then no record at all."""
    with open(stick / casefolder.SEALED, "ab") as file:
        file.write(left)
    assert told(stick, tmp_path / "before")
    case = opened(stick, writable=True)
    assert case.dropped == len(left)
    finish(case, begin(case, signer, resume=True), signer)
    case.finish()
    case.close()
    assert told(stick, tmp_path / "after") == ""


def test_damage_in_the_middle_is_not_taken_for_a_torn_end(stick: Path) -> None:
    head, parts = records(stick)
    for number in (1, 3, len(parts) - 3):
        part = parts[number]
        put(stick, head + b"".join([*parts[:number], part[:-1] + bytes([part[-1] ^ 1]), *parts[number + 1 :]]))
        with pytest.raises(SealingError, match="was altered"):
            opened(stick, writable=True)


def test_a_journal_that_ends_within_a_line_is_mended(tmp_path: Path, signer: Signer) -> None:
    case = create(_empty(tmp_path / "stick"), sealed_with())
    begin(case, signer).close()
    case.record(b"A", "journal.jsonl", b'{"seq":2,"prev"')
    log = Journal(case / "journal.jsonl")
    log.close()
    last = list(read(case / "journal.jsonl"))[-1]
    assert (last.kind, last.data["where"]) == ("error", "journal")


def test_an_altered_case_is_not_gone_on_with(stick: Path) -> None:
    head, parts = records(stick)
    put(stick, head + b"".join(parts[:4] + parts[5:]))
    with pytest.raises(SealingError, match="was altered"):
        opened(stick, writable=True)


def test_a_sealed_case_is_opened_and_sealed_again(stick: Path, tmp_path: Path, signer: Signer) -> None:
    case = opened(stick, writable=True)
    log = begin(case, signer, resume=True)
    assert not (case / SEAL).exists()
    finish(case, log, signer)
    case.finish()
    case.close()
    extract(opened(stick), tmp_path / "out")
    verdict = verify(tmp_path / "out")
    assert verdict.state == "intact_unknown"
    kinds = [record.kind for record in read(tmp_path / "out" / "journal.jsonl")]
    assert kinds.count("sealed") == 2
    assert kinds.count("unsealed") == 1


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "C:\\x", "a\\b", "", "a//b", ".", "x\0y", "dir/", "report.html.part"])
def test_names_that_lead_elsewhere_are_left_out(tmp_path: Path, name: str) -> None:
    case = create(_empty(tmp_path / "stick"), sealed_with())
    case.record(b"A", name, b"x")
    case.record(b"A", "sub/fine.txt", b"y")
    assert extract(case, tmp_path / "out" / "deep") == ["sub/fine.txt"]
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["fine.txt"]


def test_opening_needs_an_empty_folder(stick: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").write_text("x")
    with pytest.raises(SealingError, match="not empty"):
        extract(opened(stick), tmp_path / "out")


def test_a_sealed_file_cannot_be_opened_as_if_it_were_in_the_clear(tmp_path: Path) -> None:
    """What forgets that a case is sealed fails; it does not leak."""
    case = create(_empty(tmp_path / "stick"), sealed_with())
    file: Any = case / "report.html"
    with pytest.raises(TypeError):
        open(file, "wb")
    with pytest.raises(io.UnsupportedOperation):
        file.open("a")
    with pytest.raises(FileNotFoundError):
        file.open("rb")
    with pytest.raises(FileNotFoundError):
        file.unlink()


# --- recipients -------------------------------------------------------------------------------------------------------------------------


def test_recipients(tmp_path: Path) -> None:
    path = tmp_path / "unit.txt"
    public = str(UNIT.to_public())
    path.write_text(f"# unit\n\n  {public}  \n{x25519.Identity.generate().to_public()}\n")
    assert read_recipients(path)[0] == public
    for text, words in (
        ("", "holds 0 recipients"),
        ("# nothing\n", "holds 0 recipients"),
        (public[:-1], "is no age public key"),
        ("ssh-ed25519 AAAA", "is no age public key"),
        (str(UNIT), "holds a secret key"),
        (f"{public}\n" * 33, "holds 33 recipients"),
    ):
        path.write_text(text)
        with pytest.raises(SealingError, match=words):
            read_recipients(path)
    with pytest.raises(SealingError, match="cannot be read"):
        read_recipients(tmp_path / "absent")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SealingError, match="cannot be read"):
        read_recipients(path)
    path.write_text(f"# key\n{UNIT}\n")
    assert len(read_identities(path)) == 1
    for text, words in (("x", "holds no age secret key"), (str(UNIT)[:-1], "is damaged")):
        path.write_text(text)
        with pytest.raises(SealingError, match=words):
            read_identities(path)
