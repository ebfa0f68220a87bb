"""Each hive as a whole: whether it was in use, what its logs added, where it is damaged, and what was deleted from it.

Of SAM and SECURITY only deleted keys are given: values there may be made of passwords. Elsewhere
the content of a value is withheld where its name says that it is a secret.
"""

from __future__ import annotations

import re

from artefacts.observations import RegistryRemnant, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, from_filetime
from artefacts.windows.hive import open_hive
from artefacts.windows.hive.hive import REG_EXPAND_SZ, REG_MULTI_SZ, REG_SZ
from artefacts.windows.hive.reading import AMCACHE, NTUSER, REFERENCE, SAM, SOFTWARE, SYSTEM, USRCLASS, Results
from artefacts.windows.hive.recovery import Remnant, remnants

_TYPES = {0: "none", 1: "text", 2: "text", 3: "binary", 4: "number", 5: "number", 6: "link", 7: "texts", 11: "number"}
_WITHHELD = re.compile(r"passw|pwd|secret|token|credential", re.IGNORECASE)  # such as Winlogon's DefaultPassword
_SECRET = ("sam", "security", "_registry_machine_sam", "_registry_machine_security")


def parse(file: EvidenceFile) -> Results:
    """``SystemFact`` (when the hive was last written, what its logs added), ``RegistryRemnant`` for what was deleted, and every problem."""
    hive = open_hive(file)
    image = hive.image
    yield from image.state
    yield SystemFact(
        name="registry hive last written",
        value=image.header.name or file.name,
        time=from_filetime(image.header.written),
        locator="offset=12",
    )
    if image.replay.pages:
        yield SystemFact(
            name="registry log replayed",
            value=f"{image.replay.pages} pages of {image.replay.entries} changes from {', '.join(image.replay.logs)}",
            time=NOT_RECORDED,
            locator=f"log={image.replay.logs[0]}",
        )
    secret = file.name.lower() in _SECRET
    left_out = 0
    for found in remnants(hive):
        if found.value is not None and secret:
            continue
        if found.path == "?" and found.value is not None and not _says_something(found):
            left_out += 1
            continue
        yield RegistryRemnant(
            key=found.path,
            value=found.value,
            content=None if _WITHHELD.search(found.value or "") else found.content,
            kind=None if found.value is None else _TYPES.get(found.type or 0, f"type {found.type}"),
            written=found.written or NOT_RECORDED,
            user=file.user,
            locator=f"offset={found.offset}",
            recovered=True,
        )
    if left_out:
        words = f"{left_out}: their keys are gone, and they hold no text and have no name of a file"
        yield SystemFact(name="deleted registry values that are not listed", value=words, locator="offset=4096")
    yield from hive.problems


def _says_something(value: Remnant) -> bool:
    """Whether a value without its key is worth a record: it holds text, or its name is one of a file, as in lists of programs and files."""
    is_text = value.type in (REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ)
    return bool(is_text and value.content) or "\\" in (value.value or "") or "." in (value.value or "")


ARTEFACTS = (
    Artefact(
        id="windows.registry.hive",
        title="Windows registry: hives",
        meaning="Whether each hive was read whole, with the changes in its logs, and the keys and values that were deleted from it.",
        paths=(*SYSTEM, *SOFTWARE, *SAM, *NTUSER, *USRCLASS, *AMCACHE),
        parse=parse,
        references=(REFERENCE,),
        systems=("windows",),
        validation="specimens of Windows XP to 11, oddities of yarp",
    ),
)
