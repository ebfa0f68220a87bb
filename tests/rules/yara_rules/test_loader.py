"""Rules by file and folder: what is wrong is named, what is right runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rules import yara_rules
from rules.problems import Problem
from rules.yara_rules import YaraRules

WHERE = {"filename": "a.bin", "filepath": "/x/a.bin", "extension": "bin"}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def names(rules: YaraRules, data: bytes) -> list[str]:
    return [f"{hit.namespace}:{hit.rule}" for hit in rules.match(data, **WHERE)]


def test_a_folder_gives_namespaces_and_every_sound_rule_runs(tmp_path: Path) -> None:
    write(tmp_path / "lists/a.yar", 'rule first { strings: $a = "lantern" condition: $a }\n')
    write(tmp_path / "lists/deep/b.yara", 'rule first { strings: $a = "lantern" condition: $a }\n')
    write(tmp_path / "lists/notes.txt", "not a rule")
    rules = yara_rules.load([tmp_path / "lists"])
    assert (rules.problems, rules.count, list(rules.namespaces)) == ([], 2, ["lists/a.yar", "lists/deep/b.yara"])
    assert names(rules, b"a lantern") == ["lists/a.yar:first", "lists/deep/b.yara:first"]
    assert names(rules, b"nothing") == []


def test_an_error_is_named_by_file_and_line_and_costs_one_rule(tmp_path: Path) -> None:
    bad = write(
        tmp_path / "bad.yar",
        'import "pe"\nimport "bogus"\n\nrule good {\n  strings:\n    $a = "lantern"\n  condition:\n    $a\n}\n\nrule wrong {\n  condition:\n    nonsense\n}\n'
        "rule wrong_too { condition: good and }\nrule dependent { condition: wrong }\nrule last { condition: filesize > 0 }\n",
    )
    fine = write(tmp_path / "fine.yar", "rule fine { condition: true }")
    rules = yara_rules.load([bad, fine])
    assert [(problem.file, problem.line) for problem in rules.problems] == [(str(bad), line) for line in (2, 13, 15, 16)]
    assert 'unknown module "bogus"' in rules.problems[0].reason
    assert rules.problems[1] == Problem(str(bad), 13, 'undefined identifier "nonsense": rule wrong is not used')
    assert names(rules, b"a lantern") == ["bad.yar:good", "bad.yar:last", "fine.yar:fine"]


def test_what_cannot_be_mended_costs_its_file(tmp_path: Path) -> None:
    files = [
        write(tmp_path / "global.yar", "global rule small { condition: nonsense }\nrule other { condition: true }"),
        write(tmp_path / "prose.yar", "This is not a rule.\n"),
        write(tmp_path / "zero.yar", "rule a { condition: true }\n\0"),
        write(tmp_path / "empty.yar", "// nothing yet\n"),
        tmp_path / "absent.yar",
    ]
    rules = yara_rules.load(files)
    assert rules.count == 0
    assert rules.match(b"anything", **WHERE) == []
    assert [(Path(problem.file).name, problem.line) for problem in rules.problems] == [
        ("zero.yar", 2), ("absent.yar", 0), ("global.yar", 1), ("prose.yar", 1), ("empty.yar", 0)
    ]  # fmt: skip
    assert yara_rules.load([tmp_path / "nowhere"]).problems[0].reason.startswith("cannot be read")


def test_an_unfinished_last_rule_leaves_the_others(tmp_path: Path) -> None:
    path = write(tmp_path / "cut.yar", "rule whole { condition: true }\nrule cut {\n  condition:\n    true and\n")
    rules = yara_rules.load([path])
    assert names(rules, b"x") == ["cut.yar:whole"]
    assert [problem.line for problem in rules.problems] == [5]


def test_includes_and_links_lead_nowhere(tmp_path: Path) -> None:
    write(tmp_path / "secret.yar", "rule secret { condition: true }")
    write(tmp_path / "in/index.yar", 'include "../secret.yar"\nrule own { condition: true }\n')
    (tmp_path / "in/link.yar").symlink_to(tmp_path / "secret.yar")
    rules = yara_rules.load([tmp_path / "in"])
    assert names(rules, b"x") == ["in/index.yar:own"]
    assert [(Path(problem.file).name, problem.line) for problem in rules.problems] == [("link.yar", 0), ("index.yar", 1)]


def test_the_same_file_twice_is_used_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yar", "rule a { condition: true }")
    rules = yara_rules.load([path, tmp_path])
    assert names(rules, b"x") == ["a.yar:a"]
    assert [problem.reason for problem in rules.problems] == ["is named twice: it is used once"]


def test_externals_are_always_there(tmp_path: Path) -> None:
    condition = 'filename == "a.bin" and filepath == "/x/a.bin" and extension == "bin" and filetype == "" and owner == "" and size == 3 and filesize == 3'
    rules = yara_rules.load([write(tmp_path / "e.yar", f"rule all_of_them {{ condition: {condition} }}")])
    assert rules.problems == []
    assert names(rules, b"abc") == ["e.yar:all_of_them"]
    assert names(rules, b"abcd") == []


@pytest.mark.parametrize("name", ["\ud800", "a\0b", "\u202egpj.exe", "x" * 100_000, "<script>"])
def test_hostile_names_pass_through(tmp_path: Path, name: str) -> None:
    rules = yara_rules.load([write(tmp_path / "e.yar", 'rule any_name { condition: filename != "q" }')])
    assert [hit.rule for hit in rules.match(b"x", filename=name, filepath="/" + name, extension=name)] == ["any_name"]


def test_a_hit_carries_meta_tags_and_offsets_never_bytes(tmp_path: Path) -> None:
    source = 'rule r : one two { meta: severity = 4 sure = true text = "é" strings: $a = "lantern" $b = { 00 01 } condition: any of them }'
    rules = yara_rules.load([write(tmp_path / "m.yar", source)])
    (hit,) = rules.match(memoryview(b"0123lantern lantern\x00\x01"), **WHERE)
    assert (hit.tags, hit.meta, hit.strings) == (("one", "two"), {"severity": 4, "sure": True, "text": "é"}, ("$a@0x4", "$b@0x13"))


def test_a_flood_is_capped_and_quiet(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    many = "\n".join(f"rule r{n} {{ condition: true }}" for n in range(300))
    source = 'import "console"\nrule talk { strings: $a = "ab" condition: console.log("to the terminal") and #a > 3 }\n' + many
    rules = yara_rules.load([write(tmp_path / "f.yar", source)])
    hits = rules.match(b"ab" * 1_100_000, **WHERE)
    assert (len(hits), hits[0].strings) == (200, ("$a@0x0",))
    assert capfd.readouterr() == ("", "")


def test_out_of_time_is_said(tmp_path: Path) -> None:
    source = "rule slow { condition: for all i in (0..filesize - 1) : (for all j in (0..filesize - 1) : (uint8(i) + uint8(j) < 600)) }"
    rules = yara_rules.load([write(tmp_path / "slow.yar", source)])
    with pytest.raises(TimeoutError, match="more than 1 s"):
        rules.match(bytes(1 << 17), timeout=1, **WHERE)


def test_compiled_rules_travel(tmp_path: Path) -> None:
    bad = write(tmp_path / "a.yar", 'rule a { strings: $a = "lantern" condition: $a }\nrule b { condition: nonsense }')
    rules = yara_rules.load([bad])
    rules.save(tmp_path / "compiled")
    again = yara_rules.load_compiled(tmp_path / "compiled")
    assert (again.count, again.digest, again.problems, again.namespaces) == (1, rules.digest, rules.problems, ("a.yar",))
    assert names(again, b"lantern") == ["a.yar:a"]
    assert len(list(tmp_path.iterdir())) == 2

    whole = (tmp_path / "compiled").read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x41
        (tmp_path / "compiled").write_bytes(damaged)
        with pytest.raises(ValueError, match="does not hold compiled rules"):
            yara_rules.load_compiled(tmp_path / "compiled")


def test_the_cache_follows_the_sources(tmp_path: Path) -> None:
    path, cache = (
        write(tmp_path / "a.yar", 'rule a { strings: $a = "lantern" condition: $a }\nrule b { condition: nonsense }'),
        tmp_path / "cache",
    )
    first = yara_rules.load([path], cache=cache)
    (kept,) = cache.iterdir()
    second = yara_rules.load([path], cache=cache)
    assert (second.count, second.digest, second.problems) == (1, first.digest, first.problems)
    assert names(second, b"lantern") == ["a.yar:a"]

    kept.write_bytes(b"not compiled rules")
    assert names(yara_rules.load([path], cache=cache), b"lantern") == ["a.yar:a"]
    write(path, 'rule a { strings: $a = "harbour" condition: $a }')
    assert names(yara_rules.load([path], cache=cache), b"lantern") == []
    shutil.rmtree(cache)
    cache.write_text("a file where the folder should be")
    assert names(yara_rules.load([path], cache=cache), b"harbour") == ["a.yar:a"]


def test_the_digest_is_of_what_the_rules_say(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one/a.yar", "rule a { condition: true }"), write(tmp_path / "two/a.yar", "rule a { condition: true }")
    assert yara_rules.load([one]).digest == yara_rules.load([two]).digest
    write(two, "rule a { condition: false }")
    assert yara_rules.load([one]).digest != yara_rules.load([two]).digest


@pytest.mark.specimens
def test_the_specimens(specimens: Path) -> None:
    rules = yara_rules.load([specimens / "yara"])
    assert [(Path(problem.file).name, problem.line) for problem in rules.problems] == [
        ("unsupported_rules.yara", 1), ("unsupported_rules.yara", 6), ("unsupported_rules.yara", 0), ("foo.yar", 1), ("foo.yar", 3), ("foo.yar", 0)
    ]  # fmt: skip
    assert [hit.rule for hit in rules.match((specimens / "yara/yara-tests/tiny").read_bytes(), **WHERE)] == ["PEfileBasic", "PEfile", "baz"]


def test_a_rule_that_was_not_at_fault_stays(tmp_path: Path) -> None:
    text = (
        "rule broken { strings: $a = condition: $a }\n"
        + "".join(f"rule r{n} {{ condition: filesize > {n} }}\n" for n in range(5))
        + "rule odd { condition: r1 and x }"
    )
    rules = yara_rules.load([write(tmp_path / "a.yar", text)])
    assert names(rules, b"123") == ["a.yar:r0", "a.yar:r1", "a.yar:r2"]
    assert [problem.line for problem in rules.problems] == [1, 7]
