"""Wireless networks that Windows keeps ready to join: one XML file each. The network's key stands in it too, enciphered: it is not read out.

Source: Microsoft, "WLAN_profile schema".
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import KnownNetwork, Observation
from artefacts.registry import Artefact, EvidenceFile
from artefacts.windows.text import decode

_LARGEST = 1 << 20  # bytes
_SPACE = "{http://www.microsoft.com/networking/WLAN/profile/v1}"


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """One ``KnownNetwork``. When it was joined the profile does not say."""
    text = decode(file.read(_LARGEST))
    start = text.find("<WLANProfile")
    # Without a document type no entity can be declared, so none can grow.
    if start < 0:
        raise Unrecognised("not a profile of a wireless network")
    try:
        root = ElementTree.fromstring(text[start:].rstrip("\0"))
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise Unrecognised(f"a damaged profile of a wireless network ({error})") from error
    name = root.findtext(f"{_SPACE}SSIDConfig/{_SPACE}SSID/{_SPACE}name") or root.findtext(f"{_SPACE}name")
    if not name:
        raise Unrecognised("a profile without the name of a network")
    yield KnownNetwork(name=name, kind="wireless", how="wireless profile", locator="SSIDConfig")


ARTEFACTS = (
    Artefact(
        id="windows.wlan_profiles",
        title="Wireless network profiles",
        meaning="Wireless networks that this computer keeps ready to join.",
        paths=("**/Microsoft/Wlansvc/Profiles/Interfaces/*/*.xml",),
        parse=parse,
        references=("https://learn.microsoft.com/windows/win32/nativewifi/wlan-profileschema-schema",),
        systems=("windows",),
    ),
)
