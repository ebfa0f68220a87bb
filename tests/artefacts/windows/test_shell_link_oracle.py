"""Every shell link among the specimens, read beside liblnk: the same place, volume and machine."""

from __future__ import annotations

import io
from pathlib import Path

import pylnk
import pytest

from artefacts.windows import shell_link


@pytest.mark.specimens
def test_liblnk_says_the_same(specimens: Path) -> None:
    compared = 0
    for path in sorted((specimens / "lnk").rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        try:
            ours = shell_link.read(data)
        except ValueError:
            continue
        theirs = pylnk.file()
        theirs.open_file_object(io.BytesIO(data))
        compared += 1
        assert (ours.arguments or None) == (theirs.get_command_line_arguments() or None), path.name
        assert ours.volume.get("machine") == (theirs.get_machine_identifier() or None), path.name
        assert int(ours.volume.get("serial", "0"), 16) == (theirs.get_drive_serial_number() or 0), path.name
        assert ours.volume.get("label") == (theirs.get_volume_label() or None), path.name
        place = theirs.get_local_path() or theirs.get_network_path()
        if place and place.isascii():
            assert ours.target == place, path.name
    assert compared > 300
