"""``triage rules``: what the rules are, what is wrong with a file of them, what a term would hit; and keyword lists encrypted for the stick."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.commands.common import COMPLETED, FAILED, existing, list_secret, stop

if TYPE_CHECKING:
    from rules.problems import Problem

app = typer.Typer(
    help="Finding rules, keyword libraries and YARA rules: list them, check them, try a term, encrypt a list.", no_args_is_help=True
)

_KINDS = ("findings", "keywords", "yara", "software")
_YARA = (".yar", ".yara", ".yr")
_KEYWORDS = (".csv", ".txt", ".sealed")
_YAML = (".yaml", ".yml")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_rules(
    kind: Annotated[str | None, typer.Option("--kind", help="Only findings, keywords, yara or software.")] = None, as_json: Json = False
) -> None:
    """Every rule that ships: finding rules, keyword libraries by category, YARA rules, programs of the software catalogue."""
    if kind is not None and kind not in _KINDS:
        stop(f"--kind is {', '.join(_KINDS)}, not {kind}")
    rows = [row for each in _KINDS if kind in (None, each) for row in _LISTS[each]()]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    _table(
        ("KIND", "NAME", "SEVERITY", "CATEGORY", "WHAT"),
        [tuple(str(row[key]) for key in ("kind", "name", "severity", "category", "what")) for row in rows],
    )


@app.command("check")
def check(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with everything below them.")],
    list_key: Annotated[Path | None, typer.Option(help="Key file of encrypted keyword lists.")] = None,
    as_json: Json = False,
) -> None:
    """Explain every problem with file and line. Exit code 1 if there is one."""
    from rules.sealed import WrongKey

    secret = list_secret(list_key)
    problems: list[Problem] = []
    sound = dict.fromkeys(("findings", "conditions", "keywords", "yara", "software"), 0)
    for path in paths:
        for file in _files(existing(path, "the rule file"), problems):
            kind = _kind(file, problems)
            if kind is not None:
                try:
                    count, found = _check_keywords(file, secret) if kind == "keywords" else _CHECKS[kind](file)
                except WrongKey as error:
                    stop(str(error))
                sound[kind] += count
                problems += found
    if as_json:
        rows = [{"file": item.file, "line": item.line, "reason": item.reason} for item in problems]
        typer.echo(json.dumps({"sound": sound, "problems": rows}, indent=1))
    else:
        from triage.text import visible

        for problem in problems:
            typer.echo(visible(str(problem)))
        names = {
            "findings": "finding rules",
            "conditions": "checks and advice",
            "keywords": "keywords",
            "yara": "YARA rules",
            "software": "programs",
        }
        used = ", ".join(f"{names[kind]} {count}" for kind, count in sound.items() if count) or "nothing"
        typer.echo(f"usable: {used}; {len(problems)} {'problem' if len(problems) == 1 else 'problems'}")
    raise typer.Exit(FAILED if problems else COMPLETED)


@app.command("try")
def try_term(
    term: Annotated[str, typer.Argument(help="The term as it would stand in a library.")],
    text: Annotated[str, typer.Argument(help="The text to try it on.")],
    form: Annotated[str, typer.Option(help="word, phrase, stem, wildcard, regex, name or name-like.")] = "word",
    where: Annotated[
        str | None, typer.Option(help="What kind of text it is: search_terms, title, url, name, text (the default) or application.")
    ] = None,
    unless: Annotated[list[str] | None, typer.Option(help="A context that silences the term.")] = None,
    near: Annotated[list[str] | None, typer.Option(help="A companion without which the term does not count.")] = None,
    within: Annotated[int, typer.Option(min=1, max=50, help="At most so many words from its companion.")] = 5,
    substitutions: Annotated[bool, typer.Option("--substitutions", help="Digits and signs count for letters: l4ntern.")] = False,
    as_json: Json = False,
) -> None:
    """Show where TERM would hit in TEXT, and where it stands and would not, with the reason."""
    from rules.keywords import FORMS, NAME_FORMS, Near, Term, explain
    from triage.text import visible

    if form not in FORMS:
        stop(f"--form is {', '.join(FORMS)}, not {form}")
    tried = Term(
        term, "", 1, form, None, Near(tuple(near), within) if near else None, tuple(unless or ()), substitutions=substitutions
    )  # fmt: skip
    try:
        places = explain(tried, text, where or ("name" if form in NAME_FORMS else "text"))
    except ValueError as error:
        stop(f"{term!r}: {error}")
    if as_json:
        typer.echo(
            json.dumps([{"found": place.found, "hit": place.objection is None, "reason": place.objection} for place in places], indent=1)
        )
        return
    for place in places:
        typer.echo(
            f"{'no hit' if place.objection else 'HIT   '}  {visible(place.found)}{f': {visible(place.objection)}' if place.objection else ''}"
        )
    if not places:
        typer.echo("no hit: the term does not stand in the text")


@app.command("encrypt")
def encrypt(
    source: Annotated[Path, typer.Argument(metavar="LIST", help="Keyword list: CSV, YAML or plain text.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The encrypted list; its name should end in .sealed.")],
    key: Annotated[Path, typer.Option(help="Key file: 12 to 4096 bytes, the same for 'triage scan --list-key'.")],
) -> None:
    """Encrypt a keyword list for the stick. A list with a problem is explained and not encrypted: afterwards nobody could be told."""
    from rules import keywords, sealed
    from triage.text import visible

    secret = list_secret(key)
    assert secret is not None
    if existing(source, "the keyword list").is_dir():
        stop(f"{source} is a folder: encrypt its lists one by one")
    libraries = keywords.load([source], secret=secret)
    for problem in libraries.problems:
        print(f"triage: {visible(str(problem))}", file=sys.stderr)
    if libraries.problems:
        stop("nothing was written", FAILED)
    if libraries.sealed:
        stop(f"{source} is encrypted already")
    content = sealed.seal(source.name, source.read_bytes(), secret)
    try:
        with out.open("xb") as stream:
            stream.write(content)
    except FileExistsError:
        stop(f"{out} exists already: nothing is written over")
    except OSError as error:
        stop(f"{out} cannot be written: {error.strerror or error}", FAILED)
    typer.echo(f"{libraries.count} terms encrypted to {visible(str(out))}; {visible(str(source))} itself is still readable")


def register(parent: typer.Typer) -> None:
    """Add the commands to the program."""
    parent.add_typer(app, name="rules")


def _finding_rows() -> Iterable[dict[str, Any]]:
    from rules import findings

    for rule in findings.load():
        severity, category = rule.severity, rule.category
        yield {
            "kind": "findings",
            "name": rule.id,
            "severity": severity.default if not severity.field else f"{severity.field} or {severity.default}",
            "category": category.default if not category.field else f"{category.field} or {category.default}",
            "what": f"{rule.on}: {rule.title}",
        }


def _keyword_rows() -> Iterable[dict[str, Any]]:
    from rules import keywords

    groups: dict[tuple[str, str], list[int]] = {}
    libraries = keywords.load([keywords.SHIPPED])
    for term in libraries.terms:
        groups.setdefault((term.library, term.category), []).append(term.severity)
    for (library, category), severities in sorted(groups.items()):
        low, high = min(severities), max(severities)
        span = str(low) if low == high else f"{low} to {high}"
        yield {"kind": "keywords", "name": library, "severity": span, "category": category, "what": f"{len(severities)} terms"}
    for item in libraries.exclusions:
        yield {"kind": "keywords", "name": item.library, "severity": "", "category": "exclusion", "what": f"{item.kind}: {item.value}"}


def _yara_rows() -> Iterable[dict[str, Any]]:
    from rules import yara_rules

    for rule in yara_rules.load([yara_rules.SHIPPED]):
        meta = rule.meta
        yield {
            "kind": "yara",
            "name": rule.name,
            "severity": meta.get("severity", ""),
            "category": meta.get("category", ""),
            "what": meta.get("description", ""),
        }


def _software_rows() -> Iterable[dict[str, Any]]:
    from rules import software

    for program in software.shipped():
        yield {
            "kind": "software",
            "name": program.id,
            "severity": program.severity,
            "category": program.category.id,
            "what": f"{program.name}: {program.what}",
        }


def _files(path: Path, problems: list[Problem]) -> list[Path]:
    from rules.problems import Problem

    if not path.is_dir():
        return [path]
    wanted = (*_YARA, *_KEYWORDS, *_YAML)
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in wanted and file.is_file() and not file.is_symlink())
    if not found:
        problems.append(Problem(str(path), 0, f"holds no rule file ({', '.join(wanted)})"))
    return found


def _kind(file: Path, problems: list[Problem]) -> str | None:
    from rules.conditions import FILES as condition_files
    from rules.problems import Problem
    from rules.strictyaml import YamlError, parse

    suffix = file.suffix.lower()
    if suffix in _YARA:
        return "yara"
    if suffix in _KEYWORDS:
        return "keywords"
    if suffix not in _YAML:
        problems.append(Problem(str(file), 0, f"is not a rule file: its name must end in {', '.join((*_YARA, *_KEYWORDS, *_YAML))}"))
        return None
    try:
        value = parse(file.read_bytes(), text_only=True).value
    except YamlError as error:
        problems.append(Problem(str(file), error.line, error.reason))
        return None
    except OSError as error:
        problems.append(Problem(str(file), 0, f"cannot be read: {error.strerror or error}"))
        return None
    if isinstance(value, list):
        return "findings"
    if isinstance(value, dict) and "terms" in value:
        return "keywords"
    if isinstance(value, dict) and file.name in condition_files:
        return "conditions"
    if isinstance(value, dict) and "programs" in value:
        return "software"
    problems.append(
        Problem(str(file), 1, "is neither a list of finding rules, nor a keyword library with its list of terms, nor a list of programs")
    )
    return None


def _check_findings(file: Path) -> tuple[int, list[Problem]]:
    from rules.findings.loader import SHIPPED, load

    name = str(file.resolve())
    own = load() if file.resolve().parent == SHIPPED.resolve() else load([Path(name)])
    return sum(1 for rule in own if rule.origin.startswith(f"{name}:")), [problem for problem in own.problems if problem.file == name]


def _check_conditions(file: Path) -> tuple[int, list[Problem]]:
    from rules import conditions

    rules = conditions.load(file.parent)
    problems = [item for item in rules.problems if Path(item.file).name == file.name]
    return len(rules.advice) if file.name == "advice.yaml" else int(not problems), problems


def _check_keywords(file: Path, secret: bytes | None) -> tuple[int, list[Problem]]:
    from rules import keywords

    libraries = keywords.load([file], secret=secret)
    return libraries.count, libraries.problems


def _check_yara(file: Path) -> tuple[int, list[Problem]]:
    from rules import yara_rules

    rules = yara_rules.load([file])
    return rules.count, rules.problems


def _check_software(file: Path) -> tuple[int, list[Problem]]:
    from rules import software

    shipped = file.resolve().parent == software.SHIPPED.resolve()
    loaded = software.load() if shipped else software.load([software.SHIPPED, file])
    name = str(software.SHIPPED / file.name) if shipped else str(file)
    return (
        sum(1 for program in loaded if program.origin.startswith(f"{name}:")),
        [problem for problem in loaded.problems if problem.file == name],
    )


_LISTS = {"findings": _finding_rows, "keywords": _keyword_rows, "yara": _yara_rows, "software": _software_rows}
_CHECKS = {"findings": _check_findings, "conditions": _check_conditions, "yara": _check_yara, "software": _check_software}


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from triage.text import visible

    shown = [header, *(tuple(visible(cell) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in shown) for column in range(len(header) - 1)]
    for row in shown:
        typer.echo("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]))
