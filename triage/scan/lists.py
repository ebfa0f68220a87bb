"""The lists and rules of a scan, loaded once before it starts: a mistake is told in time, and what can be kept compiled is compiled for all workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from triage.scan.compiled import folder_for
from triage.scan.setup import Setup


class ListError(Exception):
    """A list or a rule file cannot be used at all; the text says why in one line."""


def load(
    setup: Setup, keywords: Sequence[str], yara: Sequence[str], secret: bytes | None, warn: Callable[[object, bool], None]
) -> dict[str, Any]:
    """Load and check what ``setup`` names, and the keyword lists and YARA files, whose places are put into it (``shipped``: those that come
    with the tool). ``secret`` opens encrypted keyword lists.

    ``warn(problem, anyway)`` is told what of them cannot be used; ``anyway``: even where the person asked for silence, since it says why
    there will be no scan. Returns the identities for the journal. Raises ``ListError``.
    """
    from rules import conditions, findings, software

    examined = [(Path(item.path), item.live) for item in setup.sources.values()]
    rule_set = findings.load([Path(rule) for rule in setup.rules])
    identities: dict[str, Any] = {
        "rules": {"findings": rule_set.digest, "conditions": conditions.shipped().digest, "software": software.shipped().digest},
        "hash_sets": [],
    }
    if setup.hash_sets:
        import hashsets

        for item in setup.hash_sets:
            try:
                opened = hashsets.open_set(Path(item.path), role=item.role, key=bytes.fromhex(item.key) if item.key else None)
            except (hashsets.HashSetError, OSError) as error:
                raise ListError(str(error)) from error
            for problem in opened.problems:
                warn(f"{item.path}: {f'line {problem.line}: ' if problem.line else ''}{problem.reason}", False)
            identities["hash_sets"].append(opened.identity)
    if keywords or setup.named:
        from rules import keywords as words
        from rules.sealed import WrongKey

        setup.keywords = [_place(name, words.SHIPPED, "the keyword list") for name in keywords]
        setup.list_secret = secret.hex() if secret else None
        try:
            libraries = words.load([Path(path) for path in setup.keywords], secret=secret, named=setup.named)
        except WrongKey as error:
            raise ListError(str(error)) from error
        for trouble in libraries.problems:
            warn(trouble, not libraries.count)
        if keywords and not libraries.count:
            raise ListError("the keyword lists hold no usable term")
        if setup.keep_named or secret or not setup.named:
            setup.keywords_cache = folder_for(setup.keywords, examined)
        if setup.keywords_cache:
            libraries.matcher(cache=Path(setup.keywords_cache))
        identities["keywords"] = {"digest": libraries.digest, "terms": libraries.count}
    if yara:
        from rules import yara_rules

        setup.yara = [_place(name, yara_rules.SHIPPED, "the YARA rules") for name in yara]
        setup.yara_cache = folder_for(setup.yara, examined)
        rules = yara_rules.load([Path(path) for path in setup.yara], cache=Path(setup.yara_cache) if setup.yara_cache else None)
        for wrong in rules.problems:
            warn(wrong, not rules.count)
        if not rules.count:
            raise ListError("the YARA files hold no usable rule")
        identities["yara"] = {"digest": rules.digest, "rules": rules.count}
    return identities


def _place(name: str, shipped: Path, what: str) -> str:
    if name == "shipped":
        return str(shipped)
    path = Path(name)
    if not path.exists():
        raise ListError(f"{what} {path} does not exist")
    return str(path.absolute())
