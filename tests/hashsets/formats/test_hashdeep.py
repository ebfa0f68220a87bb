from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from hashsets.errors import Damaged

M, S = hashlib.md5(b"a").hexdigest(), hashlib.sha256(b"a").hexdigest()


def test_rows_remarks_and_bad_rows(tmp_path: Path, read_list) -> None:
    path = tmp_path / "known.txt"
    path.write_text(
        "%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## Invoked from: /tmp\n## $ hashdeep .\n##\n"
        f"1,{M},{S},/a, with, commas\nx,{'0' * 32},zz,/b\n2,{M}\n"
    )
    form, listed, problems = read_list(path)
    assert form == "hashdeep list"
    assert listed == {"md5": {M: (1, (), ("md5", "sha256")), "0" * 32: (-1, (), ("md5",))}, "sha256": {S[:40]: (1, (), ("md5", "sha256"))}}
    assert [line for line, _ in problems] == [7, 8]


def test_rows_without_columns_are_refused(tmp_path: Path, read_list) -> None:
    path = tmp_path / "known.txt"
    path.write_text(f"%%%% HASHDEEP-1.0\n1,{M},/a\n")
    with pytest.raises(Damaged, match="without the line that names its columns"):
        read_list(path)


@pytest.mark.tools
def test_what_hashdeep_writes(tmp_path: Path, read_list) -> None:
    (tmp_path / "one").write_bytes(b"a")
    (tmp_path / "two, too").write_bytes(b"bb")
    path = tmp_path / "list"
    path.write_bytes(
        subprocess.run(["hashdeep", "-c", "md5,sha1,sha256", "one", "two, too"], cwd=tmp_path, capture_output=True, check=True).stdout
    )
    _, listed, problems = read_list(path)
    assert {digest: size for digest, (size, _, _) in listed["sha1"].items()} == {
        hashlib.sha1(b"a").hexdigest(): 1,
        hashlib.sha1(b"bb").hexdigest(): 2,
    }
    assert len(listed["md5"]) == len(listed["sha256"]) == 2
    assert problems == []
