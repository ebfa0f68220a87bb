"""Containers and vaults that a program remembers: VeraCrypt, TrueCrypt, Cryptomator. What lies in a vault, and any key, is not touched.

``History.xml`` (``volume``: what was opened last), ``Favorite Volumes.xml`` and ``System Favorite Volumes.xml`` of VeraCrypt and TrueCrypt, below ``<VeraCrypt>``
or ``<TrueCrypt>``; ``settings.json`` of Cryptomator: ``directories``: ``path``, ``displayName``.

Sources: VeraCrypt, Mount/Favorites.cpp and Main/Forms (SaveHistory, "history", "favorites"); cryptomator/cryptomator, VaultSettingsJson.java.
"""

from __future__ import annotations

from artefacts.applications.reading import Results, json_object, last_part, text_of
from artefacts.applications.xml_reading import elements
from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import FileSeen
from artefacts.registry import Artefact, EvidenceFile

OPENED = "list of encrypted containers"


def parse_veracrypt(file: EvidenceFile) -> Results:
    """A ``FileSeen`` for each container or volume in the history or among the favourites."""
    program = "TrueCrypt" if "truecrypt" in file.path.lower() else "VeraCrypt"
    kind = "opened before" if file.name.lower() == "history.xml" else "kept as a favourite"
    for element in elements(file, ("veracrypt", "truecrypt")):
        if isinstance(element, Problem):
            yield element
        elif element.name == "volume" and element.text:
            label = element.attributes.get("label") or element.attributes.get("description")
            mount = element.attributes.get("mountpoint") or element.attributes.get("mountPoint")
            facts = (f"called {label}" if label else "", f"shown as {mount}" if mount else "")
            yield FileSeen(
                path=element.text, how=OPENED, user=file.user, detail=", ".join((f"{program}: {kind}", *(fact for fact in facts if fact)))[:500],
                locator=element.locator,
            )  # fmt: skip


def parse_cryptomator(file: EvidenceFile) -> Results:
    """A ``FileSeen`` for each vault in the list."""
    vaults = json_object(file, 4 << 20).get("directories")
    if not isinstance(vaults, list):
        raise Unrecognised("not the settings of Cryptomator")
    for number, vault in enumerate(vaults[:1000]):
        path = text_of(vault.get("path")) if isinstance(vault, dict) else None
        if path:
            name = text_of(vault.get("displayName")) or last_part(path)
            yield FileSeen(
                path=path, kind="folder", how=OPENED, user=file.user, detail=f"Cryptomator: vault called {name}"[:500], locator=f"directories[{number}]"
            )  # fmt: skip


_REFERENCES = ("https://veracrypt.fr/en/Documentation.html",)

ARTEFACTS = (
    Artefact(
        id="applications.vaults.veracrypt",
        title="VeraCrypt and TrueCrypt: containers",
        meaning="Encrypted containers that were opened or kept as favourites, also those on drives that are not here.",
        paths=tuple(
            f"**/{program}/{name}"
            for program in ("VeraCrypt", "TrueCrypt", ".VeraCrypt", ".TrueCrypt")
            for name in ("History.xml", "Favorite Volumes.xml", "System Favorite Volumes.xml")
        ),
        parse=parse_veracrypt,
        references=_REFERENCES,
    ),
    Artefact(
        id="applications.vaults.cryptomator",
        title="Cryptomator: vaults",
        meaning="Encrypted folders that Cryptomator opens, also those on drives that are not here.",
        paths=("**/Cryptomator/settings.json",),
        parse=parse_cryptomator,
        references=("https://docs.cryptomator.org",),
    ),
)
