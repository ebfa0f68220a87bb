"""Compiled YARA rules and what they match."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rules.problems import Problem

MAX_STRINGS = 20
MAX_HITS = 200
EXTERNALS: Mapping[str, str | int] = {"filename": "", "filepath": "", "extension": "", "filetype": "", "owner": "", "size": 0}
"""What a rule may ask about the file beside its content; ``filesize`` is YARA's own. ``owner`` is there for rules written for other scanners."""
_MAGIC = b"triage yara 1\n"


@dataclass(frozen=True, slots=True)
class YaraHit:
    """A rule that matched. ``meta``: the rule's own, text, whole numbers and booleans. ``strings``: ``$name@0xoffset``, the first of each, at most twenty."""

    rule: str
    namespace: str
    tags: tuple[str, ...]
    meta: Mapping[str, Any]
    strings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class YaraRule:
    """One rule as its author describes it."""

    name: str
    tags: tuple[str, ...]
    meta: Mapping[str, Any]


@dataclass
class YaraRules:
    """Rules ready to match. ``digest``: SHA-256 (hex) of the sources and their namespaces. ``compiled`` is None where there is no sound rule at all."""

    compiled: Any
    count: int
    digest: str
    namespaces: Sequence[str]
    problems: list[Problem]
    warnings: list[Problem]

    def __iter__(self) -> Iterator[YaraRule]:
        """The rules in use, in their order."""
        for rule in self.compiled or ():
            yield YaraRule(rule.identifier, tuple(rule.tags), dict(rule.meta))

    def match(
        self, data: bytes | memoryview, *, filename: str, filepath: str, extension: str, filetype: str = "", timeout: float = 10
    ) -> list[YaraHit]:
        """The rules that match ``data``, in the order of the rules. ``extension`` without its dot, lower case; ``timeout`` in seconds.

        Raises ``TimeoutError`` when the time is up and ``RuntimeError`` when YARA gives up for any other reason.
        """
        if self.compiled is None:
            return []
        import yara

        externals = {
            "filename": _safe(filename),
            "filepath": _safe(filepath),
            "extension": _safe(extension),
            "filetype": _safe(filetype),
            "size": len(data),
        }
        try:
            matches = self.compiled.match(
                data=data,
                externals=externals,
                timeout=max(1, round(timeout)),
                fast=True,
                # Without these two, a rule prints on standard output and too many matches warn on standard error.
                console_callback=_nothing,
                warnings_callback=_go_on,
            )
        except yara.TimeoutError:
            raise TimeoutError(f"the YARA rules took more than {timeout:g} s") from None
        except yara.Error as error:
            raise RuntimeError(f"YARA gave up: {error}") from None
        return [
            YaraHit(match.rule, match.namespace, tuple(match.tags), dict(match.meta), _strings(match.strings))
            for match in matches[:MAX_HITS]
        ]

    def save(self, path: Path) -> None:
        """Write the compiled rules for ``load_compiled``. Raises ``OSError``."""
        payload = io.BytesIO()
        if self.compiled is not None:
            self.compiled.save(file=payload)
        body = payload.getvalue()
        head = json.dumps(
            {
                "yara": _version(),
                "count": self.count,
                "digest": self.digest,
                "namespaces": list(self.namespaces),
                "problems": [asdict(problem) for problem in self.problems],
                "warnings": [asdict(warning) for warning in self.warnings],
            }
        ).encode("ascii")
        rest = head + b"\n" + body
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            draft.write_bytes(_MAGIC + hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def read_compiled(path: Path) -> YaraRules:
    """What ``save`` wrote. Raises ``ValueError`` if the file is damaged or made by another version of YARA, ``OSError`` if it cannot be read."""
    data = path.read_bytes()
    start = len(_MAGIC) + 65
    if not data.startswith(_MAGIC) or hashlib.sha256(data[start:]).hexdigest().encode() != data[len(_MAGIC) : start - 1]:
        raise ValueError(f"{path} does not hold compiled rules, or was damaged")
    head, _, body = data[start:].partition(b"\n")
    try:
        facts = json.loads(head)
        made_by, count, digest, namespaces = facts["yara"], int(facts["count"]), str(facts["digest"]), tuple(facts["namespaces"])
        problems, warnings = ([Problem(**item) for item in facts[key]] for key in ("problems", "warnings"))
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{path} does not hold compiled rules of ours") from None
    if made_by != _version():
        raise ValueError(f"{path} was made by YARA {made_by}")
    compiled = None
    if body:
        import yara

        try:
            compiled = yara.load(file=io.BytesIO(body))
        except yara.Error as error:
            raise ValueError(f"{path} cannot be used: {error}") from None
    return YaraRules(compiled, count, digest, namespaces, problems, warnings)


def _version() -> str:
    import yara

    return str(yara.__version__)


def _strings(strings: Sequence[Any]) -> tuple[str, ...]:
    return tuple(f"{string.identifier}@{string.instances[0].offset:#x}" for string in strings[:MAX_STRINGS] if string.instances)


def _safe(text: str) -> str:
    """Names out of evidence hold anything; YARA takes UTF-8 that ends at the first NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")


def _nothing(_message: str) -> None:
    return None


def _go_on(_kind: int, _message: object) -> int:
    return 0  # CALLBACK_CONTINUE
