from __future__ import annotations

import codecs
import hashlib
import subprocess
from pathlib import Path

import pytest

from hashsets.errors import UnknownFormat
from hashsets.formats.lines import parse
from hashsets.formats.text import MAX_LINE

M = [hashlib.md5(bytes([n])).hexdigest() for n in range(6)]
S1 = hashlib.sha1(b"one").hexdigest()
S256 = hashlib.sha256(b"one").hexdigest()
ONLY_MD5 = (-1, (), ("md5",))


def test_a_plain_list_of_one_length(tmp_path: Path, read_list) -> None:
    path = tmp_path / "a"
    path.write_bytes("".join(m + "\n" for m in M).encode())
    form, listed, problems = read_list(path)
    assert (form, listed, problems) == ("list of hashes", {"md5": dict.fromkeys(M, ONLY_MD5)}, [])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_and_case_and_a_last_line_without_end(tmp_path: Path, read_list, end: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(end.join([M[0], M[1].upper(), M[2]]).encode())
    assert read_list(path)[1] == {"md5": dict.fromkeys(M[:3], ONLY_MD5)}


def test_a_longer_hash_after_a_shorter_is_not_cut_into_one(tmp_path: Path, read_list) -> None:
    path = tmp_path / "a"
    path.write_text(f"{M[0]}\n{S1}\n")
    assert read_list(path)[1] == {"md5": {M[0]: ONLY_MD5}, "sha1": {S1: (-1, (), ("sha1",))}}


def test_mixed_forms_and_bad_lines_with_their_numbers(tmp_path: Path, read_list) -> None:
    path = tmp_path / "a"
    lines = [
        M[0],
        M[1],
        "# a remark",
        "",
        f"{S1}  name with spaces.jpg",
        f"{M[2]} *binary name",
        f"\\{M[3]}  a name\\nwith a line end",
        f"SHA256 (a file (1).txt) = {S256.upper()}",
        f"MD5 (b) = {M[4]}",
        "no hash here",
        M[5][:-1],
        f"SHA512 (c) = {'0' * 128}",
        f"MD5 (d) = {S1}",
        "0" * 128,
    ]
    path.write_text("\n".join(lines) + "\n")
    _, listed, problems = read_list(path)
    assert listed == {
        "md5": dict.fromkeys(M[:5], ONLY_MD5),
        "sha1": {S1: (-1, (), ("sha1",))},
        "sha256": {S256[:40]: (-1, (), ("sha256",))},
    }
    assert [line for line, _ in problems] == [10, 11, 12, 13, 14]
    assert "'SHA512' is not an algorithm" in problems[2][1]
    assert "length of sha1, not of md5" in problems[3][1]
    assert "512 bits long" in problems[4][1]


@pytest.mark.parametrize(
    ("mark", "encoding"), [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")]
)
def test_byte_order_marks(tmp_path: Path, read_list, mark: bytes, encoding: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(mark + "\r\n".join(M).encode(encoding))
    assert read_list(path)[1:] == ({"md5": dict.fromkeys(M, ONLY_MD5)}, [])


def test_a_line_without_end_costs_itself_only(tmp_path: Path, read_list) -> None:
    path = tmp_path / "a"
    path.write_text(f"{M[0]}\n{'a' * (5 * MAX_LINE)}\n{M[1]}\n")
    _, listed, problems = read_list(path)
    assert listed == {"md5": dict.fromkeys(M[:2], ONLY_MD5)}
    assert problems == [(2, f"longer than {MAX_LINE} characters")]


def test_the_line_number_after_many_uniform_lines(tmp_path: Path, read_list) -> None:
    path = tmp_path / "a"
    many = [hashlib.md5(str(n).encode()).hexdigest() for n in range(300_000)]
    many[290_000] = "x" * 32
    path.write_text("\n".join(many) + "\n")
    _, listed, problems = read_list(path)
    assert len(listed["md5"]) == 299_999
    assert problems == [(290_001, f"does not start with a hash: '{'x' * 32}'")]


def test_hostile_text_is_shown_escaped() -> None:
    with pytest.raises(ValueError, match=r"does not start with a hash: '\\x1b\[2J\\u202eevil'"):
        parse("\x1b[2J\u202eevil")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe", b"hello\nworld\n", b"\0" * 5000, b"# only a remark\n", b"a,b\n1,2\n"])
def test_what_is_no_list_is_refused(tmp_path: Path, read_list, content: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(UnknownFormat):
        read_list(path)


@pytest.mark.tools
@pytest.mark.parametrize(
    ("command", "algorithm"),
    [(["md5sum"], "md5"), (["sha1sum", "--tag"], "sha1"), (["sha256sum", "-b"], "sha256"), (["md5sum", "--tag"], "md5")],
)
def test_what_the_coreutils_write(tmp_path: Path, read_list, command: list[str], algorithm: str) -> None:
    names = ["plain", "with space", "back\\slash", "line\nend"]
    for name in names:
        (tmp_path / name).write_text(name)
    path = tmp_path / "list"
    path.write_bytes(subprocess.run([*command, *names], cwd=tmp_path, capture_output=True, check=True).stdout)
    _, listed, problems = read_list(path)
    assert set(listed[algorithm]) == {hashlib.new(algorithm, name.encode()).hexdigest()[:40] for name in names}
    assert problems == []
