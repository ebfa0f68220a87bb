from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from triage.commands.hashset import app

M = [hashlib.md5(bytes([n])).hexdigest() for n in range(6)]
RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def quick_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hashsets.keys.SCRYPT_N", 16)


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(f"md5,category\n{M[0]},1\n{M[1]},2\n{M[2]},\nbad,\n")
    return path


@pytest.fixture
def categories(tmp_path: Path) -> Path:
    path = tmp_path / "categories.json"
    path.write_text(json.dumps({"codes": {"1": {"label": "First\u202e", "severity": 4}}}))
    return path


def run(*arguments: object, given: str | None = None) -> tuple[int, str, str]:
    result = RUNNER.invoke(app, [str(argument) for argument in arguments], input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_build_info_match(tmp_path: Path, listing: Path, categories: Path) -> None:
    out = tmp_path / "set"
    code, told, errors = run("build", out, listing, "--role", "alert", "--categories", categories, "--set-version", "9")
    assert (code, errors) == (0, "triage: line 5: list.csv: not hexadecimal: 'bad'\n")
    assert "3 entries (3 md5), 0 repeated" in told
    code, told, _ = run("match", out, M[0].upper(), M[3], M[1], M[2])
    assert code == 0
    assert told.splitlines() == [f"{M[0].upper()}  code 1  First⟨U+202E⟩", f"{M[1]}  code 2  no meaning given for this code", M[2]]
    code, told, _ = run("match", out, "-", given=f"{M[3]}\n\n {M[2]}\r\n")
    assert (code, told) == (0, f"{M[2]}\n")
    code, told, _ = run("info", out, "--json", "--check")
    facts = json.loads(told)
    assert (code, facts["count"], facts["role"], facts["version"], facts["problems"]) == (0, 3, "alert", "9", 1)
    assert facts["file_sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    code, told, _ = run("info", out)
    assert code == 0
    assert "\u202e" not in told
    assert hashlib.sha256(listing.read_bytes()).hexdigest() in told


def test_match_as_json_and_what_cannot_be_looked_up(tmp_path: Path, listing: Path) -> None:
    out = tmp_path / "set"
    assert run("build", out, listing, "--role", "ignore", "--json")[0] == 0
    code, told, errors = run("match", out, M[0], "xyz", "0" * 40, "--json")
    assert code == 3
    assert [json.loads(line)["hash"] for line in told.splitlines()] == [M[0]]
    assert json.loads(told)["alert"] is False
    assert errors.splitlines() == [
        "triage: line 2: not hexadecimal: 'xyz'",
        f"triage: line 3: sha1 cannot be looked up, the set lists md5: {'0' * 40}",
    ]


def test_one_clear_line_and_exit_code_2(tmp_path: Path, listing: Path) -> None:
    out, key = tmp_path / "set", tmp_path / "key"
    key.write_bytes(b"a secret of the unit\n")
    for arguments, message in [
        (("build", out, listing), "give --role alert or --role ignore"),
        (("build", out, listing, "--role", "bad"), "'bad' is not a role"),
        (("build", out, tmp_path / "missing", "--role", "alert"), "does not exist"),
        (("build", listing, key, "--role", "alert"), "is not overwritten"),
        (("match", listing, M[0]), "has no role"),
        (("info", key, "--role", "alert"), "no format of hash list"),
        (("build", out, listing, "--role", "alert", "--columns", key), "is not a column map"),
        (("build", out, listing, "--role", "alert", "--kinds", "sound"), "not available in this version"),
    ]:
        code, told, errors = run(*arguments)
        assert (code, told) == (2, "")
        assert message in errors
        assert errors.count("\n") == 1
        assert not out.exists()


def test_keyed_by_file_and_by_passphrase(tmp_path: Path, listing: Path) -> None:
    out, key = tmp_path / "set", tmp_path / "key"
    key.write_bytes(b"a secret of the unit\n")
    assert run("build", out, listing, "--role", "alert", "--key", key)[0] == 0
    assert run("match", out, M[0], "--key", key)[:2] == (0, f"{M[0]}  code 1  no meaning given for this code\n")
    assert run("match", out, M[0])[0] == 2
    code, told, _ = run("info", out, "--json")
    assert (code, json.loads(told)["keyed"], json.loads(told)["count"]) == (0, True, 3)
    key.write_bytes(b"another secret of the unit\n")
    assert "not the one" in run("match", out, M[0], "--key", key)[2]
    words = "correct horse battery\n"
    assert run("build", out, listing, "--role", "alert", "--passphrase", given=words * 2)[0] == 0
    assert run("match", out, M[0], "--passphrase", given=words)[0] == 0
    assert run("match", out, M[0], "--passphrase", given="some other passphrase\n")[0] == 2


def test_merge_and_diff(tmp_path: Path, listing: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text(f"{M[2]}\n{M[3]}\n")
    a, b = tmp_path / "a", tmp_path / "b"
    run("build", a, listing, "--role", "alert")
    run("build", b, other, "--role", "alert")
    assert run("merge", tmp_path / "all", a, b)[0] == 0
    code, told, _ = run("match", tmp_path / "all", *M)
    assert [line[:42].split() for line in told.splitlines()] == [[M[0], "code", "1"], [M[1], "code", "2"], [M[2]], [M[3]]]
    code, told, _ = run("diff", a, b, "--json")
    assert (code, json.loads(told)) == (0, {"md5": {"both": 1, "only_first": 2, "only_second": 1, "other_code": 0}})
    assert run("diff", a, b)[1].splitlines()[1].split() == ["md5", "1", "2", "1", "0"]
    run("build", b, other, "--role", "ignore")
    code, _, errors = run("merge", tmp_path / "x", a, b)
    assert (code, "give --role" in errors) == (2, True)
