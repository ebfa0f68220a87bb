"""Sites, folders and applications in which a library's terms do not count."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.keywords import load
from rules.keywords.exclusions import Exclusions

YAML = """library: own
category: a
severity: 3
exclusions:
  - {site: Example.ORG}
  - {folder: "Users/*/Reference"}
  - folder: 'C:\\Program Files\\**\\Dictionary'
  - application: chromium.cache
terms: [lantern]
"""


def of(tmp_path: Path, name: str, text: str) -> Exclusions:
    (tmp_path / name).write_text(text)
    libraries = load([tmp_path / name])
    assert libraries.problems == []
    assert libraries.count == 1
    return libraries.matcher().exclusions


@pytest.mark.parametrize(
    ("about", "out"),
    [
        ({"addresses": ["https://www.example.org:8443/x"]}, True),
        ({"addresses": ["https://example.org./x"]}, True),
        ({"addresses": ["https://notexample.org/"]}, False),
        ({"addresses": ["https://x.com/?u=https://example.org/"]}, False),
        ({"addresses": ["https://[::1", "about:blank", ""]}, False),
        ({"paths": ["/Users/ann/Reference/a/b.txt"]}, True),
        ({"paths": ["/users/ANN/reference/b.txt"]}, True),
        ({"paths": ["/Users/ann/x/Reference/b.txt", "/Users/ann/References.txt"]}, False),
        ({"paths": ["", "D:\\Program Files\\x\\y\\Dictionary\\w.txt"]}, True),
        ({"paths": ["Program Files/Dictionary/w.txt"]}, True),
        ({"application": "chromium.cache"}, True),
        ({"application": "chromium.cache.simple"}, True),
        ({"application": "chromium.cached"}, False),
        ({}, False),
    ],
)
def test_exclusions(tmp_path: Path, about: dict[str, object], out: bool) -> None:
    assert of(tmp_path, "own.yaml", YAML).libraries(**about) == ({"own"} if out else set())  # type: ignore[arg-type]


def test_in_a_force_s_own_csv_and_text(tmp_path: Path) -> None:
    csv = of(tmp_path, "mine.csv", "term,category,severity,form\nexample.org,,,exclude-site\nlantern,a,1,word\n")
    assert csv.libraries(addresses=["http://example.org"]) == {"mine"}
    text = of(tmp_path, "plain.txt", "# exclude folder: Windows/**\nlantern\n")
    assert text.libraries(paths=["Windows/System32/x"]) == {"plain"}


def test_each_mistake_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("category: a\nseverity: 1\nterms: [lantern]\nexclusions:\n- {place: x}\n- site: '*'\n- plain\n")
    assert [(problem.line, problem.reason) for problem in load([tmp_path / "a.yaml"]).problems] == [
        (5, "excludes by 'place': site, folder, application"),
        (6, "excludes every site: name one"),
        (7, "excludes by '?': site, folder, application"),
    ]
