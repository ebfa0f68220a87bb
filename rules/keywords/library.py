"""Keyword libraries on disk: YAML, CSV and plain lists, read so that one bad line costs one term and is named.

YAML: ``library``, ``version``, and defaults (``category``, ``severity``, ``language``, ``form``, ``where``, ``unless``) at the top, then ``terms``, each a word or a
mapping with ``term`` and any of those, and ``near`` (a list) with ``within`` (words). CSV: a header with ``term,category,severity,form`` and any of
``language,unless,where,near,within``; several values in one cell are parted by ``|``. Plain text (``.txt``): a term a line, ``#`` begins a
comment; ``# category: …``, ``# severity: …`` and ``# substitutions: true`` hold for the lines below. UTF-8, with or without a byte order mark.

Exclusions: in YAML a list ``exclusions`` of ``{site: …}``, ``{folder: …}``, ``{application: …}``; in CSV lines with the form ``exclude-site`` and so
on; in plain text ``# exclude site: …``. Any of these files may be encrypted (``rules.sealed``).
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rules import sealed, strictyaml
from rules.keywords import names
from rules.keywords.compiled import Store
from rules.keywords.exclusions import KINDS as EXCLUSION_KINDS
from rules.keywords.exclusions import PREFIX, Exclusion, Exclusions, exclusion
from rules.keywords.folding import fold
from rules.keywords.matcher import Matcher
from rules.keywords.patterns import Pattern, compile_loose, compile_term
from rules.keywords.surroundings import Surroundings, surroundings
from rules.keywords.terms import FORMS, MAX_SEVERITY, NAME_FORMS, PLACES, Near, Term
from rules.problems import Problem

MAX_BYTES = 64 << 20
MAX_PROBLEMS = 1000
SHIPPED = Path(__file__).parent / "shipped"
PLAIN_SUFFIXES = (".yaml", ".yml", ".csv", ".txt")
_SUFFIXES = (*PLAIN_SUFFIXES, sealed.SUFFIX)
_REQUIRED = ("term", "category", "severity", "form")
_COLUMNS = (*_REQUIRED, "language", "unless", "where", "near", "within", "substitutions")
_DEFAULTS = ("library", "category", "severity", "language", "form", "where", "unless", "substitutions")
_TOP = (*_DEFAULTS, "version", "description", "exclusions", "terms")
_SEALED_PROBLEM = "this line of an encrypted list cannot be used: check the list with 'triage rules check' before it is encrypted"
_MAX_NEAR = 50
_NAMED = {"library": "visit", "category": "named in the visit", "severity": "3"}
_YES_NO = {"": False, "false": False, "no": False, "true": True, "yes": True}
csv.field_size_limit(1 << 20)

_Row = tuple[int, Mapping[str, Any]]


@dataclass
class Libraries:
    """What was loaded. ``digest``: SHA-256 (hex) of the files' contents in the order given; the same files give the same digest anywhere."""

    terms: list[Term] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    digest: str = ""
    exclusions: list[Exclusion] = field(default_factory=list)
    sealed: bool = False
    """True if a list among them was encrypted: then what is compiled from them is, too."""
    _key: bytes | None = field(default=None, repr=False)
    _unkept: set[int] = field(default_factory=set)
    _patterns: dict[int, Pattern] = field(default_factory=dict)
    _loose: dict[int, Pattern] = field(default_factory=dict)
    _conditions: list[Surroundings | None] = field(default_factory=list)

    @property
    def count(self) -> int:
        """The number of terms in use."""
        return len(self.terms)

    def matcher(self, engine: str = "auto", cache: Path | None = None) -> Matcher:
        """A matcher of these terms. ``engine``: auto, hyperscan or ahocorasick; ``cache``: a folder of our own for the compiled database, which
        must be as trustworthy as the program (it is loaded as code tables). Raises ``ValueError`` for an engine that is not there."""
        store = Store(cache, self._key) if cache is not None else None
        exclusions = Exclusions(self.exclusions)
        return Matcher(self.terms, self._patterns, self._loose, self._conditions, exclusions, engine, store, self.digest, self._unkept)


def load(
    paths: Sequence[Path], *, secret: bytes | None = None, category: str = "own list", severity: int = 3, named: Sequence[str] = ()
) -> Libraries:
    """Load libraries; a folder stands for the libraries in it, in order of name. What is wrong in a file is in ``problems``.

    ``secret`` opens encrypted lists; without the right one they raise ``rules.sealed.WrongKey``, and nothing else is raised for what a file holds.
    ``category`` and ``severity`` are for plain lists that do not say their own. A file that cannot be read is a problem of line 0.
    ``named``: terms for this one visit, of the category ``named in the visit`` and severity 3. What is compiled from them is never kept.
    """
    out = Libraries()
    digest = hashlib.sha256(f"{category}\n{severity}\n".encode())
    seen: dict[tuple[object, ...], Term] = {}
    for path in paths:
        for file in _files(path, out.problems):
            told = len(out.problems)
            if _load_file(file, secret, out, digest, seen, {"category": category, "severity": str(severity)}):
                # What is wrong would be told in the words of the list.
                out.problems[told:] = [
                    Problem(item.file, item.line, _SEALED_PROBLEM if item.line else item.reason) for item in out.problems[told:]
                ]
    out.digest = digest.hexdigest()
    listed = out.count
    rows = ((number, {"term": text, "form": _form(text), **_NAMED}) for number, text in enumerate(named, 1))
    _take(rows, "the visit file", out, seen)
    out._unkept.update(range(listed, out.count))
    if len(out.problems) > MAX_PROBLEMS:
        more = len(out.problems) - MAX_PROBLEMS
        out.problems[MAX_PROBLEMS:] = [Problem(out.problems[-1].file, 0, f"and {more} more problems, not listed")]
    return out


def _files(path: Path, problems: list[Problem]) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(item for item in path.iterdir() if item.suffix.lower() in _SUFFIXES and item.is_file())
    if not found:
        problems.append(Problem(str(path), 0, f"holds no keyword library ({', '.join(_SUFFIXES)})"))
    return found


def _load_file(
    file: Path, secret: bytes | None, out: Libraries, digest: Any, seen: dict[tuple[object, ...], Term], defaults: Mapping[str, str]
) -> bool:
    """Take in one file; True if it was encrypted."""
    name, encrypted = str(file), False
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ValueError(f"is larger than {MAX_BYTES >> 20} MiB")
        data = file.read_bytes()
        digest.update(
            hashlib.sha256(file.suffix.lower().encode() + b"\n" + file.stem.encode("utf-8", "surrogateescape") + b"\n" + data).digest()
        )
        inner = Path(file.name)
        if sealed.is_sealed(data):
            encrypted = out.sealed = True
            raw = data
            inner_name, data = sealed.unseal(raw, secret, name)
            inner = Path(inner_name)
            if out._key is None and secret is not None:
                out._key = sealed.key_for(b"compiled keywords", raw, secret)
        rows = _rows(inner, name, data, defaults, out.problems)
    except OSError as error:
        out.problems.append(Problem(name, 0, f"cannot be read: {error.strerror or error}"))
        return encrypted
    except strictyaml.YamlError as error:
        out.problems.append(Problem(name, error.line, error.reason))
        return encrypted
    except ValueError as error:
        out.problems.append(Problem(name, 0, str(error)))
        return encrypted
    used = out.count
    try:
        _take(rows, name, out, seen, library=inner.stem)
    except csv.Error as error:
        out.problems.append(Problem(name, 0, f"is not CSV from here on: {error}"))
    if out.count == used and not any(problem.file == name for problem in out.problems):
        out.problems.append(Problem(name, 0, "holds no terms"))
    return encrypted


def _take(rows: Iterable[_Row], name: str, out: Libraries, seen: dict[tuple[object, ...], Term], library: str = "") -> None:
    """Take in the terms and exclusions of one list; of a row that is wrong, a problem."""
    for line, row in rows:
        library = str(row.get("library") or library)
        try:
            form = _one(row, "form").lower()
            if form.startswith(PREFIX):
                out.exclusions.append(exclusion(form, _one(row, "term"), library))
                continue
            term = _term(row, library, name, line)
            key = (fold(term.text) if term.form != "regex" else term.text, term.form, term.category, term.language, term.where)
            if key in seen:
                first = seen[key]
                raise ValueError(f"{term.text!r} is a duplicate of {Path(first.file).name} line {first.line}")
            pattern, loose, condition = _compiled(term)
        except ValueError as error:
            out.problems.append(Problem(name, line, str(error)))
            continue
        seen[key] = term
        if pattern is not None:
            out._patterns[out.count] = pattern
        if loose is not None:
            out._loose[out.count] = loose
        out.terms.append(term)
        out._conditions.append(condition)


def _compiled(term: Term) -> tuple[Pattern | None, Pattern | None, Surroundings | None]:
    """What the term looks for, the same with substitutions undone if it wants that, and its conditions; a name is looked for otherwise."""
    try:
        if term.form in NAME_FORMS:
            names.check(term)
            return None, None, surroundings(term)
        return compile_term(term), compile_loose(term) if term.substitutions else None, surroundings(term)
    except ValueError as error:
        raise ValueError(f"{term.text!r} {error}") from None


def _rows(inner: Path, name: str, data: bytes, defaults: Mapping[str, str], problems: list[Problem]) -> Iterator[_Row]:
    suffix = inner.suffix.lower()
    if suffix in (".yaml", ".yml"):
        return _yaml_rows(strictyaml.parse(data, text_only=True, limit=MAX_BYTES), name, problems)
    text = _text(data, name, problems)
    if suffix == ".csv":
        return _csv_rows(text, name, problems)
    if suffix == ".txt":
        return _list_rows(text, defaults)
    raise ValueError(f"is not a keyword library: its name must end in {', '.join(PLAIN_SUFFIXES)}")


def _text(data: bytes, name: str, problems: list[Problem]) -> list[str]:
    """The lines; one that is not UTF-8 is reported and left empty, so that the numbers hold."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").splitlines(keepends=True)
    lines = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True), 1):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            problems.append(Problem(name, number, "is not UTF-8"))
            lines.append("\n")
    return lines


def _csv_rows(lines: list[str], name: str, problems: list[Problem]) -> Iterator[_Row]:
    reader = csv.reader(lines, strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            problems.append(Problem(name, line, f"is not CSV: {error}"))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = [cell.strip().lower() for cell in cells]
            missing = [column for column in _REQUIRED if column not in header]
            if missing:
                problems.append(Problem(name, line, f"the header lacks the column {', '.join(missing)}: nothing of this file is used"))
                return
            unknown = [column for column in header if column not in _COLUMNS]
            if unknown:
                problems.append(Problem(name, line, f"the column {', '.join(map(repr, unknown))} is not known and not used"))
            continue
        if len(cells) > len(header):
            problems.append(Problem(name, line, f"has {len(cells)} values for {len(header)} columns: is a comma not quoted?"))
            continue
        yield line, dict(zip(header, cells, strict=False))
    if header is None:
        problems.append(Problem(name, 0, "is empty"))


def _list_rows(lines: list[str], defaults: Mapping[str, str]) -> Iterator[_Row]:
    given = dict(defaults)
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("#"):
            key, _, value = text.lstrip("# ").partition(":")
            kind = key.strip().lower().removeprefix("exclude ")
            if kind in EXCLUSION_KINDS and key.strip().lower() != kind:
                yield number, {"term": value, "form": PREFIX + kind}
            elif key.strip().lower() in ("category", "severity", "language", "substitutions") and value.strip():
                given[key.strip().lower()] = value.strip()
        elif text:
            yield number, {**given, "term": text, "form": _form(text)}


def _form(text: str) -> str:
    """The form of a term that does not say its own."""
    return "wildcard" if "*" in text or "?" in text else "phrase" if len(text.split()) > 1 else "word"


def _yaml_rows(document: strictyaml.Document, name: str, problems: list[Problem]) -> Iterator[_Row]:
    top = document.value
    if not isinstance(top, dict) or not isinstance(top.get("terms"), list):
        problems.append(Problem(name, 1, "has no list called terms"))
        return
    problems.extend(Problem(name, document.line(place), f"{place[-1]!r} is given twice: the first is used") for place in document.repeated)
    problems.extend(Problem(name, document.line((key,)), f"{key!r} is not known and not used") for key in top if key not in _TOP)
    defaults = {key: value for key, value in top.items() if key in _DEFAULTS}
    yield from _yaml_exclusions(document, defaults)
    for index, entry in enumerate(top["terms"]):
        line = document.line(("terms", index))
        row = entry if isinstance(entry, dict) else {"term": entry}
        unknown = [key for key in row if key not in _COLUMNS]
        if unknown:
            problems.append(Problem(name, line, f"{', '.join(map(repr, unknown))} is not known and not used"))
        yield line, {**defaults, **row}


def _yaml_exclusions(document: strictyaml.Document, defaults: Mapping[str, Any]) -> Iterator[_Row]:
    given = document.value.get("exclusions") or []
    for index, entry in enumerate(given if isinstance(given, list) else [given]):
        line = document.line(("exclusions", index))
        for kind, value in entry.items() if isinstance(entry, dict) else [("?", entry)]:
            yield line, {"library": defaults.get("library"), "term": value, "form": f"{PREFIX}{kind}"}


def _term(row: Mapping[str, Any], library: str, file: str, line: int) -> Term:
    text = _one(row, "term")
    if not text:
        raise ValueError("has no term")
    form = (_one(row, "form") or "word").lower()
    if form not in FORMS:
        raise ValueError(f"{text!r} has the form {form!r}: {', '.join(FORMS)}")
    category = " ".join(_one(row, "category").lower().split())
    if not category:
        raise ValueError(f"{text!r} has no category")
    severity = _one(row, "severity")
    if severity not in {str(number) for number in range(1, MAX_SEVERITY + 1)}:
        raise ValueError(f"{text!r} has the severity {severity!r}: 1 to {MAX_SEVERITY}")
    where = frozenset(value.lower() for value in _several(row, "where"))
    if where - set(PLACES):
        raise ValueError(f"{text!r} is confined to {', '.join(sorted(where - set(PLACES)))}: {', '.join(PLACES)}")
    near = _several(row, "near")
    within = _one(row, "within") or "5"
    if not within.isascii() or not within.isdigit() or not 1 <= int(within[:4]) <= _MAX_NEAR:
        raise ValueError(f"{text!r} has the distance {within!r}: 1 to {_MAX_NEAR} words")
    language = _one(row, "language") or None
    substitutions = _one(row, "substitutions").lower()
    if substitutions not in _YES_NO:
        raise ValueError(f"{text!r} has the substitutions {substitutions!r}: true or false")
    own = form not in NAME_FORMS and form != "regex"
    return Term(
        text,
        category,
        int(severity),
        form,
        language,
        Near(near, int(within)) if near else None,
        _several(row, "unless"),
        where,
        library,
        file,
        line,
        _YES_NO[substitutions] and own,
    )


def _one(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{key} is not a single value")
    return value.strip()


def _several(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key)
    values = value.split("|") if isinstance(value, str) else [] if value is None else value
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        raise ValueError(f"{key} is not a list of values")
    return tuple(item.strip() for item in values if item.strip())
