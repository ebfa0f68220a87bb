"""File History: every record of the specimen's catalogue, damage. No library here writes an ESE database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Unrecognised
from artefacts.observations import FileSeen
from artefacts.windows import file_history

PATH = "/Users/jo/AppData/Local/Microsoft/Windows/FileHistory/Configuration/Catalog1.edb"


@pytest.mark.specimens
def test_specimen(evidence: Any, unpacked: Callable[[str], Path], mutations: Callable[[bytes, int], list[bytes]]) -> None:
    data = unpacked("ese/plaso/Catalog1.edb.xz").read_bytes()
    observations, problems = evidence({PATH: data}).parse(file_history.parse, PATH)
    assert [problem for problem in problems if problem.status != "parsed"] == []
    files = [item for item in observations if isinstance(item, FileSeen)]
    assert len(files) == 1373
    known = files[355].to_json()
    assert files[355].locator == "table=namespace id=356 usn=9251162904"
    # plaso looks the record's own number up among the strings and gives "?UP\\Favorites\\Links\\Lenovo". That is not what it means: record 1
    # would be the folder FileHistory, but has the attributes of a file, and by its parentId and childId it is a picture.
    assert (known["path"], known["kind"]) == ("?UP\\Pictures\\From Donald's Windows Phone\\Camera roll", "folder")
    assert (files[0].path, files[0].kind) == ("?PP\\Pictures\\WP_20130728_004.jpg", "file")
    assert (known["created"], known["time"]) == ("2013-09-02T20:02:25.6957745Z", "2013-10-12T17:34:36.6885806Z")
    assert known["used"] is not None and "first in copy" in known["detail"]
    for copy in mutations(data, 8):
        try:
            evidence({PATH: copy}).parse(file_history.parse, PATH)
        except Unrecognised:
            pass


@pytest.mark.specimens
def test_another_database_is_refused(evidence: Any, unpacked: Callable[[str], Path]) -> None:
    with pytest.raises(Unrecognised):
        evidence({PATH: unpacked("ese/dissect/basic.edb.gz").read_bytes()}).parse(file_history.parse, PATH)
