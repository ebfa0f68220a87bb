"""``triage hashset``: build, inspect, ask, merge and compare hash sets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from triage.commands.common import COMPLETED, FAILED, GAPS, existing, stop

if TYPE_CHECKING:
    from hashsets import HashSet, Match
    from hashsets.build import Built

app = typer.Typer(
    help="Hash sets: build a store from lists or reference files, see what it is, ask it, merge and compare.", no_args_is_help=True
)

_BATCH = 4096
Role = Annotated[
    str | None, typer.Option("--role", help="alert: a match is an alert; ignore: a match is known and harmless. Never guessed.")
]
KeyFile = Annotated[Path | None, typer.Option("--key", help="Key file of a keyed set.")]
Passphrase = Annotated[bool, typer.Option("--passphrase", help="Ask for the passphrase of a keyed set.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Categories = Annotated[Path | None, typer.Option("--categories", help="The keeper's table of category codes (JSON).")]
Columns = Annotated[Path | None, typer.Option("--columns", help="Column map for a table whose header does not tell (JSON).")]


def _guarded(work: Callable[[], Any]) -> Any:
    """What ``work`` gives; a set or key that cannot be used ends in one clear line and exit code 2, a failed write in 1."""
    from hashsets import HashSetError

    try:
        return work()
    except HashSetError as error:
        stop(str(error))
    except OSError as error:
        stop(f"{error.filename or ''}: {error.strerror or error}", FAILED)


def _key(path: Path | None, ask: bool, *, confirm: bool = False) -> bytes | None:
    if path is None and not ask:
        return None
    from hashsets import load_key

    if path is not None:
        key_file = existing(path, "the key file")
        return bytes(_guarded(lambda: load_key(key_file)))
    passphrase = typer.prompt("Passphrase of the hash set", hide_input=True, confirmation_prompt=confirm, err=True)
    return bytes(_guarded(lambda: load_key(str(passphrase))))


def _open(path: Path, role: str | None, key: bytes | None, columns: Path | None = None) -> HashSet:
    from hashsets import ColumnMap, open_set

    existing(path, "the hash set")
    opened: HashSet = _guarded(lambda: open_set(path, role=role, key=key, columns=ColumnMap.load(columns) if columns else None))
    return opened


def _role(role: str | None) -> str:
    if role is None:
        stop("give --role alert or --role ignore: whether a match is an alert is never guessed")
    return role


class _Progress:
    """Rows so far on one line of a terminal, nothing where it is not one."""

    def __init__(self) -> None:
        self._on = sys.stderr.isatty()

    def __call__(self, what: str, rows: int) -> None:
        from triage.text import visible

        if self._on:
            print(f"\r\x1b[K{rows:>15,} hashes  {visible(what, 50)}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._on:
            print("\r\x1b[K", end="", file=sys.stderr)


def _warn(problems: Iterable[tuple[int, str]], total: int) -> None:
    from triage.text import visible

    shown = 0
    for line, reason in problems:
        print(f"triage: line {line}: {visible(reason)}" if line else f"triage: {visible(reason)}", file=sys.stderr)
        shown += 1
    if total > shown:
        print(f"triage: and {total - shown:,} more", file=sys.stderr)


def _told(built: Built, as_json: bool) -> NoReturn:
    import json

    from triage.text import visible

    _warn(built.problems, built.problems.total)
    if as_json:
        facts = {
            "path": str(built.path),
            "count": built.count,
            "hashes": built.hashes,
            "duplicates": built.duplicates,
            "bytes": built.bytes,
        }
        print(json.dumps({**facts, "problems": built.problems.total}))
    else:
        hashes = ", ".join(f"{count:,} {name}" for name, count in built.hashes.items())
        print(f"{visible(str(built.path))}: {built.count:,} entries ({hashes}), {built.duplicates:,} repeated, {built.bytes:,} bytes")
        if built.problems.total:
            print(f"{built.problems.total:,} lines or files were not or not fully used; they are listed above")
    raise SystemExit(COMPLETED)


@app.command()
def build(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The store to write.")],
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE…", help="Lists, manifests of sets in parts, plain stores, folders of reference files.")
    ],
    role: Role = None,
    key: KeyFile = None,
    passphrase: Passphrase = False,
    kinds: Annotated[
        str, typer.Option(help="For folders: exact, picture, block, or several, with commas. picture alone: lists hold PDQ or pHash.")
    ] = "exact",
    name: Annotated[str | None, typer.Option(help="Name of the set; that of the source or of OUT without it.")] = None,
    set_version: Annotated[str | None, typer.Option("--set-version", help="Version of the set.")] = None,
    categories: Categories = None,
    columns: Columns = None,
    known: Annotated[
        list[Path] | None, typer.Option("--known", help="Folder of harmless files whose blocks are left out. May be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Build a hash set. With --key or --passphrase it is keyed: a lost stick then reveals no hash."""
    import hashsets

    role = _role(role)
    for source in sources:
        existing(source, "the source")
    for folder in known or []:
        existing(folder, "the folder of known files")
    secret = _key(key, passphrase, confirm=True)
    progress = _Progress()

    def work() -> Built:
        return hashsets.build(
            out,
            sources,
            role=role,
            key=secret,
            kinds=[kind.strip() for kind in kinds.split(",") if kind.strip()],
            name=name,
            version=set_version,
            mapping=hashsets.CategoryTable.load(categories) if categories else None,
            columns=hashsets.ColumnMap.load(columns) if columns else None,
            known=known or [],
            progress=progress,
        )

    built: Built = _guarded(work)
    progress.end()
    _told(built, as_json)


@app.command()
def info(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    role: Role = None,
    check: Annotated[bool, typer.Option("--check", help="Read a store through and compare every part with its digest.")] = False,
    as_json: Json = False,
) -> None:
    """What a hash set is. A keyed store tells this without its key, never its entries."""
    import json

    from hashsets.store import describe, is_store
    from triage.text import visible

    existing(file, "the hash set")
    if _guarded(lambda: is_store(file)):
        facts = _guarded(lambda: describe(file, check=check))
    else:
        opened = _open(file, role, None)
        _warn(opened.problems, opened.problems.total)
        facts = {**opened.identity, "bytes": file.stat().st_size, "proof": opened.is_proof}
    if as_json:
        print(json.dumps(facts, indent=1))
        return
    for field, value in facts.items():
        if field == "categories":
            value = {code: category["label"] for code, category in value["codes"].items()} or "none: codes are shown as they are"
        if field == "sources":
            for source in value:
                print(
                    visible(f"{'source':18}{source['file']}: {source['format']}, SHA-256 {source['sha256']}, {source['problems']} problems")
                )
        else:
            print(visible(f"{field.replace('_', ' '):18}{'-' if value is None else value}"))


@app.command()
def match(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    hashes: Annotated[
        list[str], typer.Argument(metavar="HASH…", help="Hashes in hexadecimal, or - to read one a line from standard input.")
    ],
    role: Role = None,
    key: KeyFile = None,
    passphrase: Passphrase = False,
    as_json: Json = False,
) -> None:
    """Print the hashes that are listed, each with its category code and label. Exit code 3 where some could not be looked up."""
    opened = _open(file, role, _key(key, passphrase))
    unusable = _guarded(lambda: _match(opened, sys.stdin if hashes == ["-"] else hashes, as_json))
    raise SystemExit(GAPS if unusable else COMPLETED)


def _match(opened: HashSet, lines: Iterable[str], as_json: bool) -> int:
    """Print the matches; how many lines could not be looked up."""
    from itertools import islice

    from hashsets.entries import parse_digest
    from triage.text import visible

    unusable = 0
    numbered = ((number, text) for number, line in enumerate(lines, 1) if (text := line.strip()))
    while batch := list(islice(numbered, _BATCH)):
        wanted: dict[str, list[tuple[str, bytes]]] = {}
        for number, text in batch:
            try:
                algorithm, digest = parse_digest(text)
                if algorithm not in opened.algorithms:
                    raise ValueError(f"{algorithm} cannot be looked up, the set lists {', '.join(sorted(opened.algorithms))}: {text}")
                wanted.setdefault(algorithm, []).append((text, digest))
            except ValueError as error:
                unusable += 1
                print(f"triage: line {number}: {visible(str(error))}", file=sys.stderr)
        for algorithm, pairs in wanted.items():
            for (text, _), found in zip(pairs, opened.match(algorithm, [digest for _, digest in pairs]), strict=True):
                if found is not None:
                    _print_match(text, found, as_json)
    return unusable


def _print_match(text: str, found: Match, as_json: bool) -> None:
    import json

    from triage.text import visible

    if as_json:
        print(json.dumps({"hash": text, **found._asdict()}))
        return
    label = found.label or ("no meaning given for this code" if found.code else None)
    notes = [found.code and f"code {found.code}", label, None if found.proof else "probably: a Bloom filter is no proof"]
    print(visible("  ".join([text, *filter(None, notes)])))


@app.command()
def merge(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The store to write.")],
    sets: Annotated[list[Path], typer.Argument(metavar="SET…", help="Plain stores and lists, all for one role.")],
    role: Role = None,
    key: KeyFile = None,
    passphrase: Passphrase = False,
    name: Annotated[str | None, typer.Option(help="Name of the merged set.")] = None,
    set_version: Annotated[str | None, typer.Option("--set-version", help="Version of the merged set.")] = None,
    categories: Categories = None,
    as_json: Json = False,
) -> None:
    """Unite sets into one store. Without --role it is that of the stores, which must agree. Keyed sets are built again from their lists."""
    if role is None:
        role = _common_role(sets)
    build(out, sets, role, key, passphrase, "exact", name, set_version, categories, None, None, as_json)


def _common_role(sets: list[Path]) -> str | None:
    from hashsets.store import describe, is_store

    def roles() -> set[str]:
        return {describe(path)["role"] for path in sets if is_store(existing(path, "the set"))}

    found: set[str] = _guarded(roles)
    return found.pop() if len(found) == 1 else None


@app.command()
def diff(
    first: Annotated[Path, typer.Argument(metavar="A")],
    second: Annotated[Path, typer.Argument(metavar="B")],
    role: Role = None,
    key: KeyFile = None,
    passphrase: Passphrase = False,
    as_json: Json = False,
) -> None:
    """How two sets differ: hashes in both and in one only, by algorithm. One of the two must not be keyed."""
    import json

    from hashsets.compare import compare

    secret = _key(key, passphrase)
    a, b = _open(first, role, secret), _open(second, role, secret)
    counts = _guarded(lambda: compare(a, b))
    if as_json:
        print(json.dumps({name: count._asdict() for name, count in counts.items()}, indent=1))
        return
    print(f"{'':8}{'in both':>15}{'only in A':>15}{'only in B':>15}{'other code':>15}")
    for name, count in counts.items():
        print(f"{name:8}{count.both:>15,}{count.only_first:>15,}{count.only_second:>15,}{count.other_code:>15,}")


def register(parent: typer.Typer) -> None:
    """Add the group."""
    parent.add_typer(app, name="hashset")
