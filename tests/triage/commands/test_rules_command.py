"""triage rules: list, check, try."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from triage.commands import rules


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    parent = typer.Typer(callback=lambda: None)
    rules.register(parent)
    return parent


def run(app: typer.Typer, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["rules", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_list_names_every_kind(app: typer.Typer) -> None:
    code, out, _ = run(app, "list", "--json")
    rows = json.loads(out)
    assert code == 0
    assert {row["kind"] for row in rows} == {"findings", "keywords", "yara", "software"}
    assert all(row["name"] and row["category"] and row["what"] for row in rows)
    code, out, _ = run(app, "list", "--kind", "yara")
    assert code == 0
    assert "luks_volume" in out and "keyword" not in out
    assert run(app, "list", "--kind", "sigma")[0] == 2


def test_what_ships_is_sound(app: typer.Typer) -> None:
    code, out, _ = run(app, "check", str(Path(rules.__file__).parents[2] / "rules"), "--json")
    assert (code, json.loads(out)["problems"]) == (0, [])
    assert all(json.loads(out)["sound"].values())


def test_check_explains_every_problem(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("term,category,severity,form\nlantern,a,7,word\nharbour,a,1,word\n")
    (tmp_path / "b.yar").write_text("rule ok { condition: true }\nrule bad { condition: nonsense }\n")
    (tmp_path / "c.yaml").write_text("- id: x\n")
    (tmp_path / "d.yaml").write_text("just: this\n")
    (tmp_path / "e.yaml").write_text("terms: [\n")
    code, out, _ = run(app, "check", str(tmp_path))
    assert code == 1
    places = [line.removeprefix(str(tmp_path) + "/").split(":")[:2] for line in out.splitlines()[:-1]]
    assert places == [["a.csv", "2"], ["b.yar", "2"], ["c.yaml", "1"], ["d.yaml", "1"], ["e.yaml", "2"]]
    assert out.splitlines()[-1] == "usable: keywords 1, YARA rules 1; 5 problems"
    code, out, _ = run(app, "check", str(tmp_path / "b.yar"), "--json")
    assert code == 1
    assert json.loads(out)["problems"] == [
        {"file": str(tmp_path / "b.yar"), "line": 2, "reason": 'undefined identifier "nonsense": rule bad is not used'}
    ]


def test_check_of_nothing(app: typer.Typer, tmp_path: Path) -> None:
    assert run(app, "check", str(tmp_path / "absent"))[0] == 2
    code, out, _ = run(app, "check", str(tmp_path))
    assert code == 1
    assert "holds no rule file" in out
    (tmp_path / "a.exe").write_bytes(b"MZ")
    assert "is not a rule file" in run(app, "check", str(tmp_path / "a.exe"))[1]


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["tor", "the solicitor likes Tor"], ["no hit  tor: inside the longer word 'solicitor'", "HIT     Tor"]),
        (["gun", "glue gun", "--unless", "glue gun"], ["no hit  gun: silenced by 'glue gun' around it"]),
        (["gun", "gun", "--near", "buy"], ["no hit  gun: none of its companions stands within 5 words"]),
        (
            ["dark web", "Dark-Web, dark matter", "--form", "phrase"],
            ["HIT     Dark-Web", "no hit  dark: the rest of the term does not stand around it"],
        ),
        (["tor", "https://x/%20tor", "--where", "url"], ["HIT     tor"]),
        (["[ab]c", "bc", "--form", "regex"], ["HIT     bc"]),
        (["l\u200ban", "l\x1b\u202ean l\u200ban"], ["HIT     l⟨U+200B⟩an"]),
        (["lantern", "l4ntern lantern", "--substitutions"], ["HIT     l4ntern", "HIT     lantern"]),
        (["lantern", "l4ntern"], ["no hit: the term does not stand in the text"]),
        (["tail", "tall 7417", "--substitutions"], ["no hit  tall: other letters or only digits: not a substitution"]),
        (["copper kettle.mp4", "C:\\x\\coper_kettle (1).avi", "--form", "name-like"], ["HIT     coper_kettle (1).avi"]),
        (["copper.mp4", "kettle.mp4", "--form", "name-like"], ["no hit  kettle.mp4: 'kettle' is left to compare with 'copper'"]),
        (["a.zip", "A.ZIP", "--form", "name"], ["HIT     A.ZIP"]),
        (["a.zip", "A.ZIP", "--form", "name", "--where", "text"], ["no hit  A.ZIP: the form name is looked for in names only"]),
        (["tor", "nothing"], ["no hit: the term does not stand in the text"]),
    ],
)
def test_try(app: typer.Typer, arguments: list[str], lines: list[str]) -> None:
    code, out, _ = run(app, "try", *arguments)
    assert (code, out.splitlines()) == (0, lines)


KEYED = "term,category,severity,form\nzellowmark,a,4,word\n"


def test_a_list_is_encrypted_and_checked(app: typer.Typer, tmp_path: Path) -> None:
    source, out, key = tmp_path / "mine.csv", tmp_path / "mine.sealed", tmp_path / "key"
    source.write_text(KEYED)
    key.write_bytes(b"a secret of the unit\n")
    code, said, _ = run(app, "encrypt", str(source), str(out), "--key", str(key))
    assert (code, said.split()[:2]) == (0, ["1", "terms"])
    assert b"zellowmark" not in out.read_bytes()
    assert run(app, "check", str(out), "--list-key", str(key))[:2] == (0, "usable: keywords 1; 0 problems\n")

    assert run(app, "encrypt", str(source), str(out), "--key", str(key))[0] == 2  # nothing is written over
    assert run(app, "encrypt", str(out), str(tmp_path / "twice"), "--key", str(key))[0] == 2
    key.write_bytes(b"another secret of it")
    for options in ([], ["--list-key", str(key)]):
        code, said, err = run(app, "check", str(out), *options)
        assert (code, said, err.count("\n")) == (2, "", 1)
    key.write_bytes(b"short")
    assert run(app, "encrypt", str(source), str(tmp_path / "x"), "--key", str(key))[0] == 2


def test_a_list_with_a_mistake_is_explained_and_not_encrypted(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(KEYED + "quarble,a,9,word\n")
    (tmp_path / "key").write_bytes(b"a secret of the unit")
    code, _, err = run(app, "encrypt", str(tmp_path / "mine.csv"), str(tmp_path / "out"), "--key", str(tmp_path / "key"))
    assert code == 1
    assert "mine.csv:3: 'quarble' has the severity '9': 1 to 5" in err
    assert not (tmp_path / "out").exists()


def test_try_as_json_and_wrong_usage(app: typer.Typer) -> None:
    assert json.loads(run(app, "try", "tor", "motor tor", "--json")[1]) == [
        {"found": "tor", "hit": False, "reason": "inside the longer word 'motor'"},
        {"found": "tor", "hit": True, "reason": None},
    ]
    assert run(app, "try", "(", "x", "--form", "regex")[0] == 2
    assert run(app, "try", "x", "x", "--form", "verse")[0] == 2
    assert run(app, "try", "x", "x", "--where", "dream")[0] == 2


def test_software_files_are_checked_by_line(app: typer.Typer, tmp_path: Path) -> None:
    wrong = tmp_path / "mine.yaml"
    wrong.write_text("category: mine\ntitle: x\nprograms:\n- id: bleachbit\n  name: x\n")
    code, out, _ = run(app, "check", str(wrong))
    assert code == 1
    assert f"{wrong}:4: the id bleachbit is used already" in out
    code, out, _ = run(app, "list", "--kind", "software", "--json")
    assert code == 0 and len(json.loads(out)) >= 250
