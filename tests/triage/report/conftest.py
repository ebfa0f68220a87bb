"""Journals for the report: every outcome, hostile text in every field, as large as a test asks for."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from artefacts import observations as o
from artefacts.times import Timestamp, from_local
from triage import journal

HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=alert(1)><style>*{display:none}</style>",
    "invoice\u202egpj.exe \u2066\u200bhidden\u2069",
    "\x1b[2J\x1b]0;owned\x07\x9b31m",
    "{{7*7}} {% include '/etc/passwd' %} ${7*7} #{7*7}",
    "=cmd|' /C calc'!A0",
    "N" * 10_000 + ".jpg",
    "lone \udc80\udcff surrogate \ud83d",
    '"></bdi></p></main></body></html><h1>Nothing found</h1>',
    "' onmouseover='x' javascript:alert(1) \r\nSet-Cookie: a=b",
    "]]>--><!-- */ } @import url(http://203.0.113.9/x.css); {",
)
"""Harmless texts that try to act: HTML, bidirectional, terminal, template, formula, length, bytes that are not text, CSS."""

DAY = 86_400_000_000_000
T0 = 1_790_000_000_000_000_000  # 2026-09-21T14:13:20Z

VISIT: dict[str, Any] = {
    "reference": "OM/2026/0417",
    "officer": {"name": "A. Example", "number": "4321", "force": "Example Constabulary"},
    "subject": {"reference": "S-1189"},
    "authority": {"basis": "order", "reference": "SHPO 55/2025, paragraph 4"},
    "scope": {},
    "declared_devices": [{"kind": "laptop", "make": "Example", "model": "Book 5", "serial": "XK-1"}],
    "conditions": [
        {"id": "3", "text": "Not to use software that deletes browsing history.", "checks": ["keep_history", "no_wiping_software"]},
        {"id": "4", "text": "Not to use an undeclared device to go online.", "checks": ["declared_devices_only"]},
    ],
    "keywords": [],
}


def digest(text: str) -> dict[str, str]:
    """The three digests of a text, as findings carry them."""
    data = text.encode("utf-8", "surrogatepass")
    return {name: hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256")}


def finding(number: int, **changes: Any) -> dict[str, Any]:
    """A finding as the journal holds it."""
    name = f"/Users/person/Pictures/holiday {number:05d}.jpg"
    return {
        "id": f"{number:016x}",
        "rule": "hash.alert",
        "rule_version": 1,
        "category": "known files",
        "severity": 5,
        "indicates": "found",
        "title": "A file is in an alert hash set",
        "explanation": "This file is, byte for byte, one that is in the set “Example set”.",
        "innocent_explanations": ["The set may hold a wrong entry.", "The file may have arrived without anybody opening it."],
        "bears_on": [],
        "advice": [],
        "source": "s1",
        "volume": "v1",
        "path": name,
        "allocated": True,
        "locator": f"{number}-128-1",
        "user": "person",
        "hashes": digest(name),
        "times": {"time": Timestamp(T0 + number * 1000).isoformat()},
        "context": "Example set, code 2",
        "count": 1,
        "examples": [],
        "observations": [f"{number:016x}"],
        **changes,
    }


class Maker:
    """Writes a case folder record by record."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.journal = journal.Journal(folder / "journal.jsonl")
        self.number = self.batch = 0

    def add(self, kind: str, /, **data: Any) -> None:
        """One record."""
        self.journal.append(kind, data)

    def open(self, visit: dict[str, Any] | None = None, **changes: Any) -> Maker:
        """The records every case begins with."""
        self.add(
            "case_opened",
            **{
                "tool": {"name": "triage", "version": "0.1.0", "self_sha256": "ab" * 32},
                "arguments": ["scan", "/evidence/laptop.E01", "--case", "/cases/417"],
                "profile": {"name": "standard", "meaning": "Everything on the device.", "digests": "needed"},
                "rules": {"findings": "11" * 32, "keywords": "22" * 32},
                "hash_sets": [{"name": "Example set", "version": "2026-10", "role": "alert", "count": 1200, "digest": "33" * 32}],
                "visit": visit,
                "case_id": "c-0001",
                "public_key": "AAAA",
                **changes,
            },
        )
        self.add("scan_started", attempt=1, time_budget=None)
        return self

    def source(self, **changes: Any) -> Maker:
        """A laptop image with one volume."""
        self.add(
            "source_opened",
            **{
                "id": "s1",
                "kind": "ewf",
                "path": "/evidence/laptop.E01",
                "size": 256_060_514_304,
                "files": ["/evidence/laptop.E01"],
                "sha256": "44" * 32,
                "facts": {"acquired": "2026-09-20"},
                **changes,
            },
        )
        self.volume()
        return self

    def volume(self, **changes: Any) -> None:
        """A volume of the laptop."""
        self.add(
            "volume",
            **{
                "source": "s1",
                "id": "v1",
                "offset": 1 << 20,
                "length": 255_000_000_000,
                "scheme": "gpt",
                "description": "Basic data partition",
                "filesystem": "ntfs",
                "label": "Windows",
                "encrypted": None,
                "unlocked": False,
                "status": "parsed",
                "reason": "",
                **changes,
            },
        )

    def cover(self, what: str, status: str = "parsed", count: int | None = 10, **changes: Any) -> None:
        """A coverage record."""
        self.add(
            "coverage",
            **{"source": "s1", "volume": "v1", "what": what, "status": status, "count": count, "bytes": 4096, "reason": "", **changes},
        )

    def total(self, what: str, status: str = "parsed", count: int = 10, size: int = 4096, **changes: Any) -> None:
        """A line of the totals a scan ends with."""
        self.cover(what, status, count, **{"bytes": size, "summary": True, **changes})

    def observe(self, item: o.Observation, *, path: str = "/Users/person/History", identity: str | None = None) -> str:
        """An observation; returns its id."""
        self.number += 1
        identity = identity or f"{self.number:016x}"
        self.add(
            "observation",
            id=identity,
            **item.to_json(),
            provenance={
                "source": "s1",
                "volume": "v1",
                "path": path,
                "locator": item.locator,
                "parser": "chromium.history/1",
                "recovered": item.recovered,
            },
        )
        return identity

    def list(self, *rows: dict[str, Any], volume: str = "v1") -> None:
        """A listing record; columns not given are those of an ordinary picture."""
        base = {"path": "/", "kind": "file", "size": 1234, "allocated": True, "orphan": False, "modified": T0, "accessed": T0 + DAY, "changed": T0,
                "created": T0 - DAY, "local_times": False, "content": "present", "address": "41-128-1", "md5": None, "sha1": None, "sha256": None}  # fmt: skip
        full = [[{**base, **row}[column] for column in journal.LISTING_COLUMNS] for row in rows]
        self.batch += 1
        self.add(
            "listing", source="s1", volume=volume, batch=f"{self.batch:024x}", files=len(rows), bytes=1234 * len(rows),
            coverage=[["files: pictures", "parsed", "", len(rows), 1234 * len(rows)]], columns=list(journal.LISTING_COLUMNS), rows=full,
            **{"class": "pictures"},
        )  # fmt: skip

    def finish(self, complete: bool = True, reason: str = "") -> Path:
        """The last records; returns the case folder."""
        for name, seconds in (("enumerate", 4.25), ("read", 61.5), ("first_alert", 3.0), ("total", 70.0)):
            self.add("timing", name=name, seconds=seconds)
        self.add("scan_finished", complete=complete, reason=reason)
        self.journal.close()
        return self.folder


def _browse(maker: Maker, days: int = 5) -> None:
    for day in range(days):
        for visit in range(day % 3 + 1):
            time = Timestamp(T0 + day * DAY + visit * 1_000_000_000)
            maker.observe(
                o.PageVisit(
                    url=f"https://example.org/{day}",
                    title="Example page",
                    time=time,
                    browser="Chrome",
                    user="person",
                    locator=f"visits rowid={visit}",
                )
            )
    maker.observe(o.SearchQuery(terms="weather tomorrow", engine="Example", time=Timestamp(T0 + 2 * DAY), user="person"))
    maker.observe(o.SystemFact(name="time zone", value="GMT Standard Time"))
    maker.observe(
        o.Download(url="https://example.org/a.zip", started=from_local("2026-09-22T10:00:00", "log"), finished=Timestamp(T0 + DAY))
    )


def _ordinary_coverage(maker: Maker) -> None:
    maker.total("file system", count=131_906)
    maker.total("files: pictures", count=812, size=3_120_000_000)
    maker.total("files: traces", count=44, size=91_000_000)
    maker.total("files: personal", count=40_364, size=18_003_000_000)
    maker.total("chromium.history", count=1)
    maker.total("firefox.places", "missing", 1, volume="", reason="no such file was found")
    maker.total("files: system", "skipped_by_rule", 90_412, reason="the profile quick does not read operating system files")


def clean(folder: Path) -> Path:
    """Everything examined, nothing found."""
    maker = Maker(folder).open(VISIT).source()
    maker.list(
        *({"path": f"/Users/person/Pictures/{n}.jpg"} for n in range(20)),
        {"path": "/Users/person/old.txt", "allocated": False, "content": "guess"},
    )
    _browse(maker)
    _ordinary_coverage(maker)
    return maker.finish()


def found(folder: Path) -> Path:
    """Known files, a wiper, a typed search, a locked volume beside them, an interrupted first run."""
    maker = Maker(folder).open(VISIT).source()
    maker.volume(
        id="v2",
        filesystem=None,
        label=None,
        encrypted="bitlocker",
        status="encrypted",
        reason="locked: no key was given",
        description="Basic data partition",
    )
    _browse(maker, 40)
    maker.add("scan_started", attempt=2, time_budget=900)
    for number in range(1, 4):
        one = finding(number)
        maker.list({"path": one["path"], **one["hashes"]})
        maker.observe(o.HashMatch(path=one["path"], algorithm="sha256", digest=one["hashes"]["sha256"], set_name="Example set", set_version="2026-10", code="2", size=1234), identity=one["id"], path=one["path"])  # fmt: skip
        maker.add("finding", **one)
    maker.add("finding", **finding(50, rule="software.wiper", category="deletion", severity=3, indicates="refer", title="A cleaning program was run", explanation="The program Example Cleaner ran eleven times. It can delete browsing history.", innocent_explanations=["Many people use such programs to free space.", "It may have come with the computer."], bears_on=["keep_history", "no_wiping_software"], path="/Windows/Prefetch/EXAMPLECLEANER.EXE-0A.pf", hashes={}, count=11, context=None, locator="", examples=[{"observation": "00000000000000aa", "path": "/Windows/Prefetch/EXAMPLECLEANER.EXE-0A.pf", "locator": "", "time": "2026-09-20T10:00:00Z", "context": "run 11 times"}]))  # fmt: skip
    maker.add("finding", **finding(51, rule="keyword.search", category="keywords", severity=4, indicates="refer", title="A typed search holds a listed word", explanation="Somebody typed a search with the word “examplemarker”.", path="/Users/person/History", allocated=True, hashes={}, count=2, context="… how to examplemarker at home …", times={"time": None}))  # fmt: skip
    maker.add("finding", **finding(52, rule="crypto.volume", category="encryption", severity=3, indicates="note", title="A volume is locked", explanation="The volume v2 is locked with BitLocker. Nothing in it was read.", path=None, volume="v2", user=None, locator=None, hashes={}, times={}, context=None, innocent_explanations=["Many computers are sold with BitLocker turned on."], bears_on=["no_undeclared_encryption"]))  # fmt: skip
    _ordinary_coverage(maker)
    maker.total("volume", "encrypted", 1, volume="v2", reason="BitLocker, no key was given")
    maker.total("chromium.history", "failed", 1)
    maker.cover("chromium.history", "failed", 1, path="/Users/person/broken/History", reason="the database is malformed at page 7")
    maker.add("error", where="worker 2", reason="ended by signal 11; one file is marked as failed")
    maker.add("touch", what="opened /dev/sdb read-only", why="to examine it")
    maker.add("operator", action="note", text="Screen was on and unlocked on arrival.")
    return maker.finish()


def locked(folder: Path) -> Path:
    """Nothing could be read, without a visit file, on a live machine, cut off."""
    maker = Maker(folder).open(None).source(kind="live", path="/dev/sda", files=[], facts={})
    maker.volume(filesystem=None, encrypted="luks", status="encrypted", reason="locked: no key was given")
    maker.journal.close()
    return maker.folder


def referred(folder: Path) -> Path:
    """One finding for a specialist; an unlocked encrypted volume on a live machine."""
    maker = Maker(folder).open(VISIT).source(kind="live", path="/dev/nvme0n1", files=[])
    maker.volume(encrypted="bitlocker", unlocked=True)
    _browse(maker)
    maker.add(
        "finding", **finding(9, indicates="refer", severity=4, title="A typed search holds a listed word", category="keywords", hashes={})
    )
    _ordinary_coverage(maker)
    return maker.finish()


def hostile(folder: Path) -> Path:
    """Every text a journal can hold tries to act."""
    several = " ".join(HOSTILE)
    visit = {
        **VISIT,
        "reference": HOSTILE[0],
        "officer": {"name": HOSTILE[1], "number": HOSTILE[2], "force": HOSTILE[9]},
        "authority": {"basis": "order", "reference": HOSTILE[3]},
        "conditions": [{"id": HOSTILE[4], "text": several, "checks": ["keep_history"]}],
    }
    maker = Maker(folder).open(
        visit, profile={"name": HOSTILE[0]}, hash_sets=[{"name": several, "digest": HOSTILE[2]}], arguments=["scan", several]
    )
    maker.source(path=several, facts={HOSTILE[0]: HOSTILE[1]}, files=[HOSTILE[7]])
    maker.volume(id="v2", label=several, filesystem=HOSTILE[0], description=HOSTILE[9], reason=HOSTILE[7])
    for number, text in enumerate(HOSTILE):
        name = f"/{text}"
        maker.list({"path": name, **digest(text)}, {"path": name + "x", "allocated": False})
        at = Timestamp(T0 + number * DAY)
        maker.observe(o.PageVisit(url=text, title=text, time=at, browser=text, user=text, locator=text), path=name)
        maker.observe(o.SystemFact(name=text, value=text), path=name)
        maker.add("finding", **finding(number, title=text[:300], category=text, explanation=several, innocent_explanations=[text], path=name, context=text, user=text, locator=text, rule=text, examples=[{"observation": text, "path": name, "locator": text, "time": None, "context": text}], times={"time": at.isoformat()}))  # fmt: skip
        maker.cover(text, "failed", 1, reason=text, path=name)
        maker.add("error", where=text, reason=text)
        maker.add("touch", what=text, why=text)
        maker.add("operator", action=text, text=text)
    return maker.finish()


@pytest.fixture(scope="session")
def makers() -> SimpleNamespace:
    """The makers of whole cases (``clean found locked referred hostile``: a folder in, the case folder out) and their parts."""
    return SimpleNamespace(
        clean=clean, found=found, locked=locked, referred=referred, hostile=hostile,
        Maker=Maker, finding=finding, digest=digest, HOSTILE=HOSTILE, VISIT=VISIT, T0=T0, DAY=DAY,
    )  # fmt: skip


@pytest.fixture(scope="session")
def browse() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Opens a page in Chromium without a window: the file, a folder for the profile, options. Skips where there is no Chromium."""
    found = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this machine")

    def run(page: Path, profile: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [
                found, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
                f"--user-data-dir={profile}", *options, page.as_uri(),
            ],
            capture_output=True, timeout=180, check=True,
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def pdf_dictionaries() -> Callable[[bytes], Iterator[dict[str, Any]]]:
    """Every dictionary of a PDF, however deep."""
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.reader import PdfFileReader

    def walk(data: bytes) -> Iterator[dict[str, Any]]:
        reader = PdfFileReader(io.BytesIO(data))
        pending = [reader.get_object(generic.IndirectObject(number, 0, reader)) for number in range(1, int(reader.trailer["/Size"]))]
        while pending:
            item = pending.pop()
            if isinstance(item, dict):
                yield item
                pending += [item.raw_get(key) for key in item]
            elif isinstance(item, list):
                pending += [item.raw_get(place) for place in range(len(item))]

    return walk


@pytest.fixture(scope="session")
def inert(pdf_dictionaries: Callable[[bytes], Iterator[dict[str, Any]]]) -> Callable[[bytes], None]:
    """Asserts that nothing in a PDF can do anything: no action, no link, no script, no attached file, no form."""

    def check(data: bytes) -> None:
        for item in pdf_dictionaries(data):
            keys = {str(key) for key in item} - {"/A"}
            assert not keys & {
                "/JS",
                "/JavaScript",
                "/AA",
                "/OpenAction",
                "/URI",
                "/Launch",
                "/EmbeddedFiles",
                "/Annots",
                "/AcroForm",
                "/XFA",
            }, item
            assert item.get("/S") not in ("/JavaScript", "/URI", "/Launch", "/GoToR", "/SubmitForm") and item.get("/Subtype") != "/Image"
            if "/A" in item:
                assert item["/A"]["/O"] == "/Table"

    return check
