"""What the commands take from the stick where nothing was named."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from triage.commands.common import FAILED, stop

if TYPE_CHECKING:
    from triage.scan.setup import HashSetSetup
    from triage.stick.held import Held

VARIABLE = "TRIAGE_STICK_PASSPHRASE"
_TRIES = 3


def held(stick: Path | None) -> Held | None:
    """What the stick holds: the one named, or the one that this bundle lies on; None without one. One that was tampered with ends the program."""
    from triage.stick import layout
    from triage.stick.held import StickError, read

    root = stick if stick is not None else layout.find()
    if root is None:
        return None
    try:
        return read(root.absolute())
    except StickError as error:
        stop(f"the stick {root} must not be used: {error}", FAILED)


@dataclass(slots=True)
class Taken:
    """``keywords``: places of lists; ``warnings``: for the journal, of the stick and of what was left out."""

    hash_sets: list[HashSetSetup]
    keywords: list[str]
    list_secret: bytes | None
    warnings: list[str]


def take(stick: Held, *, sets: bool, words: bool, hashset_key: Path | None, list_secret: bytes | None) -> Taken:
    """The stick's hash sets (``sets``) and keyword lists (``words``) that can be opened: with the keys named, or with the stick's passphrase, which
    is asked for where it is needed."""
    from triage.commands.scan import set_key

    key = set_key(hashset_key)
    sets, words = sets and bool(stick.open_sets or stick.keyed_sets), words and bool(stick.keywords)
    if (sets and stick.keyed_sets and key is None) or (words and list_secret is None):
        found = _secret(stick)
        key, list_secret = key or found, list_secret or found
    out = Taken([], [], list_secret, list(stick.warnings))
    if sets:
        out.hash_sets = stick.hash_sets(key)
    if words and list_secret is not None:
        out.keywords = [str(path) for path in stick.keywords]
    out.warnings += stick.left_out(sets=sets and key is None, words=words and list_secret is None)
    return out


def _secret(stick: Held) -> bytes | None:
    """What opens the stick's keyed sets and encrypted lists: from the environment, or asked for. None, after a warning, where nobody knows it:
    what can be done without them is done."""
    given = os.environ.get(VARIABLE)
    if given is None and not sys.stdin.isatty():
        return None
    for attempt in range(_TRIES):
        text = given if given is not None else str(typer.prompt("Passphrase of this stick (empty: go on without its lists)", default="", show_default=False, hide_input=True, err=True))  # fmt: skip
        if not text:
            return None
        if (found := stick.opens(text)) is not None:
            return found
        if given is not None or attempt == _TRIES - 1:
            break
        print("triage: that passphrase opens nothing on this stick", file=sys.stderr)
    stop("the passphrase does not open the hash sets and lists of this stick")
