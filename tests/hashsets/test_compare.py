from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hashsets import NotEnumerable, build, open_set
from hashsets.compare import Difference, compare

SECRET = b"a secret of the unit"
M = [hashlib.md5(bytes([n])).hexdigest() for n in range(9)]


def test_both_ways_plain_and_keyed(tmp_path: Path) -> None:
    a, b = tmp_path / "a.csv", tmp_path / "b.csv"
    a.write_text("md5,category\n" + "".join(f"{M[n]},{n % 2}\n" for n in range(6)))
    b.write_text("md5,sha1,category\n" + "".join(f"{M[n]},,{n % 3}\n" for n in range(4, 9)) + f",{hashlib.sha1(b'').hexdigest()[::-1]},\n")
    build(tmp_path / "keyed", [b], role="alert", key=SECRET)
    first = open_set(a, role="alert")
    for second in (open_set(b, role="alert"), open_set(tmp_path / "keyed", key=SECRET)):
        # 4 has code 0 and 1, 5 has code 1 and 2.
        assert compare(first, second) == {"md5": Difference(2, 4, 3, 2), "sha1": Difference(0, 0, 1, 0)}
        assert compare(second, first) == {"md5": Difference(2, 3, 4, 2), "sha1": Difference(0, 1, 0, 0)}
    assert compare(first, first) == {"md5": Difference(6, 0, 0, 0)}
    keyed = open_set(tmp_path / "keyed", key=SECRET)
    with pytest.raises(NotEnumerable):
        compare(keyed, keyed)
