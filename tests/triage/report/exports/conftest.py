"""Cases for the exports: one of each kind of record, then thousands."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from artefacts import observations as o
from artefacts.times import Timestamp


@pytest.fixture
def rich(makers: SimpleNamespace, tmp_path: Path) -> Any:
    """A function: a case folder with ``count`` of each kind of record, hostile texts among them."""

    def make(count: int) -> Path:
        maker = makers.Maker(tmp_path / f"rich{count}").open(makers.VISIT).source()
        for number in range(count):
            evil = makers.HOSTILE[number % len(makers.HOSTILE)]
            time = Timestamp(makers.T0 + number * 1000)
            name = f"/Users/person/Pictures/holiday {number:05d}.jpg"
            maker.list(
                {"path": name, "address": f"{number}-128-1", **makers.digest(name)},
                {"path": f"/Users/person/{evil[:200]} {number}", "allocated": False, "content": "guess", "local_times": True},
            )
            maker.observe(
                o.PageVisit(
                    url=f"https://example.org/{number % 7}?{evil[:300]}",
                    title=evil[:300],
                    time=time,
                    browser="Chrome",
                    profile="Default",
                    visit_count=number,
                )
            )
            maker.observe(
                o.Download(url=f"https://example.org/{evil[:100]}", path=f"C:\\Users\\person\\{evil[:100]}", bytes=number, started=time)
            )
            maker.observe(o.AttachedDevice(kind="USB storage", maker="Example", model=evil[:100], serial=f"SN{number}", first=time))
            maker.observe(o.UserAccount(name=evil[:50], identifier=f"S-1-5-{number}", created=time))
            maker.observe(o.InstalledProgram(name=evil[:50], version="1", installed=time))
            maker.observe(
                o.HashMatch(
                    path=name,
                    algorithm="md5",
                    digest=makers.digest(name)["md5"],
                    set_name="Example set",
                    set_version="2026-10",
                    code="2",
                    size=1234,
                    hashes=makers.digest(name),
                    time=time,
                ),
                path=name,
            )
            maker.add("finding", **makers.finding(number))
        maker.add("touch", what="read the files of /mnt", why="live")
        maker.add("operator", action="note", text=makers.HOSTILE[0])
        return Path(maker.finish())

    return make
