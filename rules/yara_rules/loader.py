"""YARA sources to compiled rules: each file on its own first, so that what is wrong is named by file and line and the rest still runs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rules.problems import Problem
from rules.yara_rules.rules import EXTERNALS, YaraRules, read_compiled

SHIPPED = Path(__file__).parent / "shipped"
SUFFIXES = (".yar", ".yara", ".yr")
MAX_BYTES = 32 << 20
MAX_FILES = 20_000
_MAX_LOST = 100  # rules given up in one file before all of it is
_SOLID = re.compile(r"[^\n]")
_LINE = re.compile(r"\bline (\d+): (.*)", re.DOTALL)
_RULE = re.compile(r"^[ \t]*((?:(?:global|private)\s+)*)rule\s+(\w+)", re.MULTILINE)
_DIRECTIVE = re.compile(r'^[ \t]*(?:import|include)\s*"[^"\n]*"', re.MULTILINE)


def load(paths: Sequence[Path], *, cache: Path | None = None) -> YaraRules:
    """Load rule files, and folders with everything below them; the namespace is the path from the folder named, that folder included.

    Never raises for what a file holds: see ``problems`` of the result (line 0: the whole file). ``include`` is not followed: name the folder.
    ``cache``: a folder of our own for the compiled rules, which must be as trustworthy as the program; one that cannot be written is no error.
    """
    problems: list[Problem] = []
    sources: dict[str, tuple[Path, str]] = {}
    seen: set[Path] = set()
    digest = hashlib.sha256()
    for path in paths:
        for file, namespace in _files(path, problems):
            if file.resolve() in seen:
                problems.append(Problem(str(file), 0, "is named twice: it is used once"))
                continue
            seen.add(file.resolve())
            source = _read(file, problems)
            if source is None:
                continue
            while namespace in sources:
                namespace += "+"
            sources[namespace] = file, source
            digest.update(hashlib.sha256(f"{namespace}\n{source}".encode("utf-8", "surrogatepass")).digest())
    ours = digest.hexdigest()
    kept = cache / f"yara-{ours[:32]}.bin" if cache is not None else None
    if kept is not None:
        try:
            rules = read_compiled(kept)
        except (OSError, ValueError):
            rules = None
        if rules is not None and rules.digest == ours:
            return YaraRules(rules.compiled, rules.count, ours, rules.namespaces, [*problems, *_of_content(rules)], rules.warnings)
    rules = _compile(sources, ours, problems)
    if kept is not None:
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            rules.save(kept)
        except OSError:
            pass
    return rules


def load_compiled(path: Path) -> YaraRules:
    """What ``YaraRules.save`` wrote, checked against damage but not against malice: it is code. Raises ``ValueError`` if it is damaged or of another
    version of YARA, ``OSError`` if it cannot be read."""
    return read_compiled(path)


def _of_content(rules: YaraRules) -> list[Problem]:
    """The problems kept with compiled rules that are about their content: those about files and folders were found anew just now."""
    return [problem for problem in rules.problems if problem.line or problem.reason.startswith("no rule")]


def _files(path: Path, problems: list[Problem]) -> Iterator[tuple[Path, str]]:
    if not path.is_dir():
        yield path, path.name
        return
    count = 0
    for file in sorted(path.rglob("*"), key=lambda item: item.relative_to(path).as_posix()):
        if file.suffix.lower() not in SUFFIXES or file.is_dir():
            continue
        if file.is_symlink():
            problems.append(Problem(str(file), 0, "is a link: links are not followed"))
            continue
        count += 1
        if count > MAX_FILES:
            problems.append(Problem(str(path), 0, f"holds more than {MAX_FILES} rule files: the rest was left"))
            return
        yield file, f"{path.resolve().name}/{file.relative_to(path).as_posix()}"
    if not count:
        problems.append(Problem(str(path), 0, f"holds no YARA rules ({', '.join(SUFFIXES)})"))


def _read(file: Path, problems: list[Problem]) -> str | None:
    try:
        if file.stat().st_size > MAX_BYTES:
            problems.append(Problem(str(file), 0, f"is larger than {MAX_BYTES >> 20} MiB"))
            return None
        data = file.read_bytes()
    except OSError as error:
        problems.append(Problem(str(file), 0, f"cannot be read: {error.strerror or error}"))
        return None
    line = data[: data.find(b"\x00")].count(b"\n") + 1 if b"\x00" in data else 0
    if line:
        problems.append(Problem(str(file), line, "holds a zero byte: it is not YARA source"))
        return None
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _compile(sources: dict[str, tuple[Path, str]], digest: str, problems: list[Problem]) -> YaraRules:
    sound: dict[str, str] = {}
    warnings: list[Problem] = []
    for namespace, (file, source) in sources.items():
        kept, rules = _sound(file, source, problems)
        if rules is None:
            continue
        for warning in rules.warnings:
            line, reason = _line(str(warning))
            warnings.append(Problem(str(file), line, reason))
        if sum(1 for _ in rules):
            sound[namespace] = kept
        else:
            problems.append(Problem(str(file), 0, "no rule in it can be used"))
    if not sound:
        return YaraRules(None, 0, digest, (), problems, warnings)
    import yara

    compiled = yara.compile(sources=sound, externals=dict(EXTERNALS), includes=False)
    return YaraRules(compiled, sum(1 for _ in compiled), digest, tuple(sound), problems, warnings)


def _sound(file: Path, source: str, problems: list[Problem]) -> tuple[str, Any]:
    """The source without the rules that YARA refuses, each reported, and that compiled; None in its place if nothing is left to go on with."""
    whole, lost = source, dict[Problem, range]()
    compiled, error = _try(source)
    while compiled is None:
        line, reason = _line(error)
        line = line or source.count("\n") + 1  # YARA says line 0 for what is missing at the end
        part = _part(source, line)
        if part is None or len(lost) == _MAX_LOST:
            problems.append(Problem(str(file), line, f"{reason}: nothing of this file is used"))
            return "", None
        span, name = part
        lost[Problem(str(file), line, f"{reason}: {name} is not used")] = span
        source = source[: span.start] + _SOLID.sub(" ", source[span.start : span.stop]) + source[span.stop :]
        compiled, error = _try(source)
    # Of several errors YARA names the last, which may only follow from the first: whatever compiles now was not at fault.
    for problem in sorted(lost):
        span = lost[problem]
        restored = source[: span.start] + whole[span.start : span.stop] + source[span.stop :]
        again, _ = _try(restored)
        if again is not None:
            source, compiled = restored, again
        else:
            problems.append(problem)
    return source, compiled


def _try(source: str) -> tuple[Any, str]:
    """The compiled rules and "", or None and what YARA says."""
    import yara

    try:
        return yara.compile(source=source, externals=dict(EXTERNALS), includes=False), ""
    except yara.Error as error:
        return None, str(error)


def _line(message: str) -> tuple[int, str]:
    found = _LINE.search(message)
    return (int(found[1]), found[2].strip()) if found else (0, message)


def _part(source: str, line: int) -> tuple[range, str] | None:
    """The stretch of ``source`` that holds the rule, or the directive, in which ``line`` lies, and its name.

    None where there is none, or where the rule is global: without it the others would match what they should not.
    """
    starts = [0, *(match.end() for match in re.finditer("\n", source))]
    if not 1 <= line <= len(starts):
        return None
    directive = _DIRECTIVE.match(source, starts[line - 1])
    if directive:
        return range(*directive.span()), directive[0].strip()
    end_of_line = starts[line] if line < len(starts) else len(source)
    rules = list(_RULE.finditer(source))
    at = sum(1 for match in rules if match.start() < end_of_line) - 1
    if at < 0 or "global" in rules[at][1]:
        return None
    end = rules[at + 1].start() if at + 1 < len(rules) else len(source)
    return range(rules[at].start(), end), f"rule {rules[at][2]}"
