"""YAML without surprises: text stays text, lines are known, nothing but plain data gets through."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml

from rules.strictyaml import YamlError, parse


def test_words_that_yaml_1_1_changes_stay_text() -> None:
    value = parse(
        b"on: yes\nserial: 0123\ntime: 12:30\ndate: 2026-01-01\nhex: 0x10\nn: 7\nf: 1.5\nt: true\nnothing: null\nempty:\nq: '7'\n"
    ).value
    assert value == {
        "on": "yes", "serial": "0123", "time": "12:30", "date": "2026-01-01", "hex": "0x10", "n": 7, "f": 1.5, "t": True,
        "nothing": None, "empty": None, "q": "7",
    }  # fmt: skip


def test_text_only_keeps_numbers_and_booleans_as_text() -> None:
    assert parse(b"a: 7\nb: true\nc: No\nd:\n", text_only=True).value == {"a": "7", "b": "true", "c": "No", "d": None}


def test_lines_and_repeated_keys() -> None:
    document = parse(b"a: 1\nb:\n  - x\n  - y: 2\n    z: 3\na: 4\n")
    assert document.value == {"a": 1, "b": ["x", {"y": 2, "z": 3}]}
    assert document.line(("b", 1, "z")) == 5
    assert document.line(("b", 1, "absent")) == 4
    assert document.repeated == [("a",)]
    assert document.line(("a",)) == 6


@pytest.mark.parametrize(
    ("data", "line", "word"),
    [
        (b"a: 1\nb: [\n", 3, "not valid"),
        (b"a: 1\nb: !!python/object/apply:os.system [x]\n", 2, "tag"),
        (b"a: 0\nb: &x [1]\nc: *x\n", 2, "alias"),
        (b"ok: 1\n? [a]\n: 2\n", 2, "key"),
        (b"a: \x00", 1, "character"),
        (b"[" * 5000, 1, "deep"),
        (b"a:\n" + b"".join(b" " * n + b"a:\n" for n in range(1, 60)), 34, "deep"),
        (b"x" * 101, 1, "larger"),
    ],
)
def test_refused(data: bytes, line: int, word: str) -> None:
    with pytest.raises(YamlError) as caught:
        parse(data, limit=100 if word == "larger" else 1 << 20)
    assert word in caught.value.reason
    assert caught.value.line == line


def test_empty_document() -> None:
    assert parse(b"").value is None


def test_damage_raises_nothing_else() -> None:
    sound = b"reference: a\nlist:\n  - {x: 1, y: [a, b]}\n  - 'q'\ntext: >-\n  folded\n  text\n"
    rng = random.Random(7)
    for _ in range(1500):
        data = bytearray(sound[: rng.randrange(1, len(sound) + 1)])
        for _ in range(rng.randrange(4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            parse(bytes(data))
        except YamlError as error:
            assert error.line >= 1


def test_both_readers_agree_on_every_shipped_file(monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted(Path(__file__).parents[2].glob("rules/**/*.yaml"))
    assert len(files) > 40
    quick = [parse(file.read_bytes()) for file in files]
    monkeypatch.setattr("yaml.__with_libyaml__", False)
    assert [parse(file.read_bytes()) for file in files] == quick


def test_deep_nesting_is_never_given_to_the_reader_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    real = yaml.compose
    monkeypatch.setattr("yaml.compose", lambda data, Loader: asked.append(Loader) or real(data, Loader=Loader))
    with pytest.raises(YamlError, match="deep"):
        parse(b"- " * 200_000)
    assert asked == [yaml.BaseLoader]
