"""Virtual machines that are set up here, and the files that hold their disks: VirtualBox, VMware, libvirt (QEMU), Linux inside Windows (WSL).

``NAME.vbox``: ``Machine`` (``name``, ``OSType``, ``lastStateChange`` in UTC), ``HardDisk`` (``location``); ``.vmx``: ``displayName``, ``guestOS``, ``….fileName``; libvirt's XML: ``domain``, ``name``,
``disk/source``; the user's registry, ``Software\\Microsoft\\Windows\\CurrentVersion\\Lxss``: ``DistributionName``, ``BasePath``.

Sources: VirtualBox, src/VBox/Main/xml/Settings.cpp; VMware, "Configuration file options"; libvirt.org/formatdomain.html; learn.microsoft.com/windows/wsl.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from artefacts.applications.reading import Results, content
from artefacts.applications.xml_reading import elements
from artefacts.coverage import Problem, Unrecognised
from artefacts.observations import Observation, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, NoTime, Time, Timestamp
from artefacts.windows.hive import Hive
from artefacts.windows.hive.reading import NTUSER, read_hive
from artefacts.windows.text import decode

NAME = "virtual machine"
_LXSS = r"Software\Microsoft\Windows\CurrentVersion\Lxss"
_SETTING = re.compile(r'^ *([A-Za-z0-9_.:]+) *= *"([^"\r\n]{0,1000})"', re.MULTILINE)
_MOST_DISKS = 50


def _fact(program: str, name: str, system: str, disks: list[str], time: Time, locator: str) -> SystemFact:
    parts = [f"{program}: {name or 'without a name'}", f"system {system}" if system else "", f"disks {', '.join(disks)}" if disks else ""]
    return SystemFact(name=NAME, value="; ".join(part for part in parts if part)[:4096], time=time, locator=locator)


def _utc(text: str | None) -> Time:
    if not text:
        return NOT_RECORDED
    try:
        return Timestamp.from_datetime(datetime.fromisoformat(text))
    except ValueError:
        return NoTime("without a zone, or not a time", local=text[:40])


def parse_virtualbox(file: EvidenceFile) -> Results:
    """One ``SystemFact`` for the machine; ``time`` is when it last changed its state (started, stopped)."""
    disks: list[str] = []
    locator, name, system = "", "", ""
    time: Time = NOT_RECORDED
    last: Problem | None = None
    for element in elements(file, ("virtualbox",)):
        if isinstance(element, Problem):
            last = element
        elif element.name == "HardDisk" and len(disks) < _MOST_DISKS:
            disks.append(element.attributes.get("location", "?"))
            if not name and element.above.get("name"):
                name = element.above["name"]
        elif element.name == "Machine":
            locator, name = element.locator, element.attributes.get("name", "")
            system = element.attributes.get("OSType", "")
            time = _utc(element.attributes.get("lastStateChange"))
    if locator or disks:
        yield _fact("VirtualBox", name or file.name.rpartition(".")[0], system, disks, time, locator or "HardDisk")
    if last is not None:
        yield last


def parse_vmware(file: EvidenceFile) -> Results:
    """One ``SystemFact`` for the machine."""
    data, problems = content(file, 1 << 20)
    settings = {found[1].lower(): found[2] for found in _SETTING.finditer(decode(data))}
    if not {"config.version", "displayname", "virtualhw.version", "guestos"} & set(settings):
        raise Unrecognised("not the settings of a VMware machine")
    yield from problems
    disks = [value for key, value in settings.items() if key.endswith(".filename") and value.lower().endswith((".vmdk", ".iso"))]
    yield _fact(
        "VMware", settings.get("displayname", file.name), settings.get("guestos", ""), disks[:_MOST_DISKS], NOT_RECORDED, "displayName"
    )


def parse_libvirt(file: EvidenceFile) -> Results:
    """One ``SystemFact`` for the machine."""
    disks: list[str] = []
    name, locator = "", ""
    last: Problem | None = None
    for element in elements(file, ("domain",)):
        if isinstance(element, Problem):
            last = element
        elif element.name == "name" and element.parents == ("domain",):
            name, locator = element.text, element.locator
        elif element.name == "source" and "disk" in element.parents and len(disks) < _MOST_DISKS:
            disks += [value for key in ("file", "dev", "name") if (value := element.attributes.get(key))][:1]
    if locator or disks:
        yield _fact("QEMU (libvirt)", name, "", disks, NOT_RECORDED, locator or "disk")
    if last is not None:
        yield last


def parse_wsl(file: EvidenceFile) -> Results:
    """A ``SystemFact`` for each Linux that the user installed inside Windows."""

    def read(hive: Hive) -> Iterator[Observation]:
        top = hive.key(_LXSS)
        for key in top.subkeys() if top else ():
            if name := key.text("DistributionName"):
                folder = key.text("BasePath") or ""
                yield _fact("Linux inside Windows (WSL)", name, "", [folder] if folder else [], key.written, key.path)

    return read_hive(file, read)


ARTEFACTS = (
    Artefact(
        id="applications.virtual_machines.virtualbox",
        title="VirtualBox: machines",
        meaning="Computers inside this computer, and the files that hold their disks.",
        paths=("**/*.vbox", "**/*.vbox-prev"),
        parse=parse_virtualbox,
        references=("https://www.virtualbox.org/manual/",),
    ),
    Artefact(
        id="applications.virtual_machines.vmware",
        title="VMware: machines",
        meaning="Computers inside this computer, and the files that hold their disks.",
        paths=("**/*.vmx",),
        parse=parse_vmware,
        references=("https://knowledge.broadcom.com/external/article?legacyId=1714",),
    ),
    Artefact(
        id="applications.virtual_machines.libvirt",
        title="QEMU and libvirt: machines",
        meaning="Computers inside this computer, and the files that hold their disks.",
        paths=("**/libvirt/qemu/*.xml", "**/libvirt/qemu/autostart/*.xml"),
        parse=parse_libvirt,
        references=("https://libvirt.org/formatdomain.html",),
        systems=("linux",),
    ),
    Artefact(
        id="applications.virtual_machines.wsl",
        title="Linux inside Windows (WSL)",
        meaning="Linux systems that the user installed inside Windows.",
        paths=NTUSER,
        parse=parse_wsl,
        references=("https://learn.microsoft.com/windows/wsl/",),
        systems=("windows",),
    ),
)
