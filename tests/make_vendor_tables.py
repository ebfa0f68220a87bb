"""Makes the tables of makers that ship with the tool, from the Debian packages ``ieee-data`` and ``usb.ids``.

``python tests/make_vendor_tables.py [FOLDER OF ieee-data] [usb.ids]``
"""

from __future__ import annotations

import csv
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOT_A_NAME = {"IEEE Registration Authority", "Private"}


def mac_makers(folder: Path) -> str:
    """A line for each prefix: its hex digits, a blank, the organisation."""
    rows: dict[str, str] = {}
    for name in ("oui.csv", "mam.csv", "oui36.csv"):
        with open(folder / name, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                maker = " ".join(row["Organization Name"].split())
                # Blocks of the registry itself are cut up among others; their whole says nothing.
                if maker not in NOT_A_NAME:
                    rows[row["Assignment"].lower()] = maker
    # The package notes when it fetched the lists, in Unix seconds.
    day = datetime.fromtimestamp(int((folder / ".lastupdate").read_text("ascii")), UTC).date().isoformat()
    head = f"# {day} IEEE Registration Authority: MA-L, MA-M and MA-S public listings, in which the IEEE asserts no copyright\n"
    return head + "".join(f"{prefix} {rows[prefix]}\n" for prefix in sorted(rows))


def usb_names(file: Path) -> str:
    """The vendors and their products; the classes and languages that follow them are left out."""
    text = file.read_text("utf-8", "replace")
    found = re.search(r"^# Date:\s+(\S+)", text, re.MULTILINE)
    lines = [f"# {found[1] if found else 'unknown'} The USB ID Repository (linux-usb.org), used under the 3-clause BSD licence\n"]
    for line in text.splitlines():
        if re.match(r"[A-Z]+ ", line):
            break
        if entry := re.match(r"(\t?)([0-9a-f]{4})\s+(\S.*)", line):
            lines.append(f"{entry[1]}{entry[2]} {entry[3].strip()}\n")
    return "".join(lines)


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]] + [Path("/usr/share/ieee-data"), Path("/usr/share/misc/usb.ids")][
        len(sys.argv) - 1 :
    ]
    (ROOT / "artefacts/network/mac_makers.txt").write_text(mac_makers(given[0]), "utf-8")
    (ROOT / "artefacts/devices/usb_names.txt").write_text(usb_names(given[1]), "utf-8")
