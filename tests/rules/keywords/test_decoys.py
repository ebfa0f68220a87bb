"""What officers were sent thousands of times for nothing gives no hit; what the same terms mean does."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from rules import keywords
from rules.keywords import Matcher

HERE = Path(__file__).parent


def rows(name: str) -> list[dict[str, str]]:
    with open(HERE / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module", params=["hyperscan", "ahocorasick"])
def matcher(request: pytest.FixtureRequest) -> Matcher:
    pytest.importorskip(request.param.replace("ahocorasick", "ahocorasick_rs"))
    libraries = keywords.load([HERE / "decoy_terms.csv", keywords.SHIPPED])
    assert libraries.problems == []
    return libraries.matcher(request.param)


def test_no_decoy_hits(matcher: Matcher) -> None:
    decoys = rows("decoys.csv")
    assert len(decoys) >= 250
    hits = []
    for row in decoys:
        for where in keywords.PLACES:
            hits += [(row["text"], where, hit.term) for hit in matcher.in_text(row["text"], where)]
        for encoding in ("utf-8", "utf-16", "cp1252"):
            hits += [(row["text"], encoding, hit.term) for hit in matcher.in_bytes(row["text"].encode(encoding, "replace"))]
    assert hits == []


def test_every_true_phrase_hits(matcher: Matcher) -> None:
    missed = []
    for row in rows("truths.csv"):
        where = "url" if "://" in row["text"] else "search_terms"
        if row["term"] not in {hit.term for hit in matcher.in_text(row["text"], where)}:
            missed.append(row)
    assert missed == []
    assert {row["term"] for row in rows("truths.csv")} == {row["term"] for row in rows("decoy_terms.csv")}


def test_true_phrases_hit_among_decoys(matcher: Matcher) -> None:
    """Far enough apart that no context of a decoy silences them, every true phrase is found in one long text of both."""
    truths, decoys = rows("truths.csv"), rows("decoys.csv")
    generator = random.Random(5)
    parts = [row["text"] for row in truths if "%" not in row["text"]]
    filler = ("plain filler words " * 10).strip()
    mixed = [f"{generator.choice(decoys)['text']}. {filler}. {part}. {filler}." for part in parts]
    expected = sum(len(matcher.in_text(part, "text")) for part in parts)
    assert expected >= len(parts)
    assert len(matcher.in_bytes("\n".join(mixed).encode())) == expected


@pytest.mark.slow
def test_the_shipped_libraries_are_silent_on_the_documentation_of_debian() -> None:
    folder = Path("/usr/share/doc")
    if not folder.is_dir():
        pytest.skip("no /usr/share/doc here")
    matcher = keywords.load([keywords.SHIPPED]).matcher()
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".gz", ".png", ".pdf", ".xz", ".gif", ".jpg")]
    hits = [(path, hit.term) for path in files for hit in [*matcher.in_bytes(path.read_bytes()), *matcher.in_text(path.name, "name")]]
    assert len(hits) * 10_000 <= len(files), hits


@pytest.mark.parametrize("engine", ["hyperscan", "ahocorasick"])
def test_no_decoy_hits_with_substitutions_either_and_every_truth_written_so_does(tmp_path: Path, engine: str) -> None:
    pytest.importorskip(engine.replace("ahocorasick", "ahocorasick_rs"))
    terms = [row | {"substitutions": "true" if row["form"] != "regex" else ""} for row in rows("decoy_terms.csv")]
    with open(tmp_path / "terms.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(terms[0]))
        writer.writeheader()
        writer.writerows(terms)
    libraries = keywords.load([tmp_path / "terms.csv"])
    assert libraries.problems == []
    matcher = libraries.matcher(engine)
    assert [row["text"] for row in rows("decoys.csv") for where in keywords.PLACES if matcher.in_text(row["text"], where)] == []
    plain = {row["term"] for row in terms if row["form"] == "word" and not row["near"] and "o" in row["term"]}
    assert plain >= {"model", "tor"}
    for term in plain:
        place = next(row["where"].split("|")[0] for row in terms if row["term"] == term) or "search_terms"
        assert term in {hit.term for hit in matcher.in_text(f"x {term.replace('o', '0')} x", place)}, term
