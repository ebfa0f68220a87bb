"""Where things lie on a stick, and how the running program finds the stick that it runs from."""

from __future__ import annotations

import sys
from pathlib import Path

LIST = "stick.json"
SIGNATURE = "stick.sig"
UNFINISHED = "stick.unfinished"
SETTINGS = "stick.toml"
OWN = (LIST, SIGNATURE, UNFINISHED)

HASH_SETS, KEYWORDS, RULES, YARA, TRUST, SEAL, KEYS, VISITS, BUNDLES, CASES = (
    "hashsets", "keywords", "rules", "yara", "trust", "seal", "keys", "visits", "bundles", "cases",
)  # fmt: skip
KEEPERS = (HASH_SETS, KEYWORDS, RULES, YARA, TRUST, SEAL, KEYS, VISITS, BUNDLES)
"""The folders of a keeper's folder, and of the stick made from it."""
OFFICERS = (CASES, VISITS)
"""Where officers write too: what is new there is no sign of tampering."""
PREPARED_VISIT = "visit.yaml"
SYSTEMS = frozenset({
    "system volume information", "$recycle.bin", ".trashes", ".fseventsd", ".spotlight-v100", ".temporaryitems", "lost+found", ".ds_store",
    "indexervolumeguid", "wpsettings.dat", ".metadata_never_index", ".trash-1000",
})  # fmt: skip
"""What systems put onto every stick by themselves, in lower case."""
_DEPTH = 4


def find(folder: Path | None = None) -> Path | None:
    """The stick on which ``folder`` lies (without one: the folder of this program, if it is a bundle), or None."""
    if folder is None:
        if not getattr(sys, "frozen", False):
            return None
        folder = Path(sys.executable).resolve().parent
    return next((place for place in (folder, *list(folder.parents)[:_DEPTH]) if is_stick(place)), None)


def is_stick(folder: Path) -> bool:
    """Whether the root of a stick is here, be it half written or bereft of its list."""
    return any((folder / name).is_file() for name in OWN)


def should_be_stick(folder: Path) -> Path | None:
    """The place where a stick must begin if the bundle in ``folder`` lies as it does on one: ``bundles/NAME/triage``. None: it does not."""
    places = list(folder.parents)
    return places[2] if len(places) > 2 and places[1].name == BUNDLES else None
