"""File systems made here with the system's own programs: names, links, streams, deletion, loops, sizes that lie."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from artefacts.coverage import Status
from triage.evidence.bytesource import FileBytes
from triage.evidence.filesystems import identify
from triage.evidence.filesystems.fat import read_layout
from triage.evidence.filesystems.tsk import TskFilesystem

pytestmark = pytest.mark.tools

LONG = "a rather long name, wíth äccents, 漢字 and 🗂.txt"
BASIC = "a rather long name, wíth äccents and 漢字.txt"  # mtools knows no character above U+FFFF
TIME = 1_600_000_000


def run(*command: str | Path, stdin: str | None = None) -> str:
    """Run a program of the system; the test is skipped, visibly, where it is absent."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        [str(part) for part in command],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def blank(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with what file systems trip over."""
    root = tmp_path / "tree"
    (root / "dir" / "deeper").mkdir(parents=True)
    (root / "dir" / LONG).write_bytes(b"in words\n" * 1000)
    (root / "dir" / "deeper" / "big.bin").write_bytes(os.urandom(300_000))
    (root / "empty").touch()
    for path in root.rglob("*"):
        os.utime(path, (TIME, TIME))
    return root


def md5s(root: Path) -> dict[str, str]:
    return {
        f"/{path.relative_to(root).as_posix()}": hashlib.md5(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4"])
def test_ext(kind: str, tree: Path, tmp_path: Path, opened: Any) -> None:
    (tree / "hard").hardlink_to(tree / "dir" / LONG)
    (tree / "short link").symlink_to("dir/deeper")
    (tree / "long link").symlink_to("x/" * 100 + "y")
    (tree / os.fsdecode(b"not \xff utf-8")).write_bytes(b"x")
    with (tree / "holes").open("wb") as file:
        file.truncate(500_000)
        file.seek(1_000_000)
        file.write(b"end")
    os.mkfifo(tree / "pipe")
    image = blank(tmp_path / "image", 8 << 20)
    run("mke2fs", "-q", "-t", kind, "-L", "Prüfung", "-d", tree, image)
    o = opened(image)
    assert (o.filesystem.type, o.filesystem.label, o.filesystem.problems) == (kind, "Prüfung", [])
    assert o.files() == md5s(tree) | {os.fsdecode(b"/not \xff utf-8"): hashlib.md5(b"x").hexdigest()}
    assert o.one("/hard").address == o.one(f"/dir/{LONG}").address
    assert o.one("/short link").link_target == "dir/deeper"
    assert o.one("/long link").link_target == "x/" * 100 + "y"
    assert o.content(o.one("/long link")) == b"x/" * 100 + b"y"
    assert any(run.offset == -1 for run in o.one("/holes").runs)
    assert o.one("/pipe").kind == "other"
    assert (o.one("/dir").modified, o.one("/dir").local_times) == (TIME * 1_000_000_000, False)
    assert o.filesystem.lookup("/DIR") is None
    assert o.filesystem.lookup("/dir/deeper/big.bin/x") is None
    assert [e.name for e in o.filesystem.children("/dir/")] == [LONG, "deeper"]
    assert o.filesystem.children("/nowhere") == []


def test_seek_and_read_anywhere(tree: Path, tmp_path: Path, opened: Any) -> None:
    image = blank(tmp_path / "image", 4 << 20)
    run("mke2fs", "-q", "-t", "ext2", "-b", "1024", "-d", tree, image)
    o = opened(image)
    content = (tree / "dir/deeper/big.bin").read_bytes()
    stream = o.filesystem.open(o.one("/dir/deeper/big.bin"))
    for offset, length in ((299_990, 100), (0, 1), (12_287, 2), (150_000, 70_000), (300_000, 5), (400_000, 5)):
        stream.seek(offset)
        assert stream.read(length) == content[offset : offset + length]
    assert stream.seek(-10, 2) == 299_990
    assert stream.read() == content[-10:]


def test_deleted_on_ext2(tree: Path, tmp_path: Path, opened: Any) -> None:
    (tree / "kept.bin").write_bytes(b"k" * 20_000)
    image = blank(tmp_path / "image", 4 << 20)
    run("mke2fs", "-q", "-t", "ext2", "-b", "1024", "-d", tree, image)
    run("debugfs", "-w", "-f", "-", image, stdin="rm dir/deeper/big.bin\nrm kept.bin\n")
    big = hashlib.md5((tree / "dir/deeper/big.bin").read_bytes()).hexdigest()
    o = opened(image)
    gone = o.one("/dir/deeper/big.bin")
    assert (gone.allocated, gone.content, o.md5(gone)) == (False, "recoverable", big)
    assert o.filesystem.lookup("/dir/deeper/big.bin") is None
    # Somebody else takes one of its blocks.
    run("debugfs", "-w", "-R", f"setb {gone.runs[0].offset // 1024}", image)
    o = opened(image)
    assert (o.one("/dir/deeper/big.bin").content, o.one("/kept.bin").content) == ("overwritten", "recoverable")


def test_orphans_beside_an_emptied_directory(tmp_path: Path, opened: Any) -> None:
    """The library lists no orphan at all where one of them is a directory without a block, as the kernel leaves every one it removes."""
    folder = tmp_path / "tree" / "outer" / "inner"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"file{number}").write_text(f"content {number}")
    image = blank(tmp_path / "image", 4 << 20)
    run("mke2fs", "-q", "-t", "ext4", "-d", tmp_path / "tree", image)
    inodes = {name: opened(image).one(name).address for name in ("/outer", "/outer/inner", "/outer/inner/file1")}
    commands = [f"rm outer/inner/file{number}" for number in range(3)] + ["rmdir outer/inner", "rmdir outer"]
    for name in ("/outer", "/outer/inner"):
        commands += [f"sif <{inodes[name]}> {field}" for field in ("size 0", "links_count 0", "dtime 1700000000")]
    run("debugfs", "-w", "-f", "-", image, stdin="\n".join(commands) + "\n")
    o = opened(image)
    gone = o.one(f"/$OrphanFiles/OrphanFile-{inodes['/outer/inner/file1']}")
    assert (gone.allocated, gone.orphan, gone.content, o.md5(gone)) == (
        False,
        True,
        "recoverable",
        hashlib.md5(b"content 1").hexdigest(),
    )
    assert o.one(f"/$OrphanFiles/OrphanFile-{inodes['/outer/inner']}").kind == "directory"
    assert len([entry for entry in o.entries if entry.orphan]) == 4


def test_directory_loop(tree: Path, tmp_path: Path, opened: Any) -> None:
    image = blank(tmp_path / "image", 4 << 20)
    run("mke2fs", "-q", "-t", "ext4", "-d", tree, image)
    run("debugfs", "-w", "-R", "link <2> dir/deeper/again", image)
    o = opened(image)
    assert set(o.files()) == set(md5s(tree))
    (problem,) = o.filesystem.problems
    assert (problem.locator, problem.status) == ("/dir/deeper/again", Status.FAILED)
    assert "leads back" in problem.reason


def test_size_that_lies(tree: Path, tmp_path: Path, opened: Any) -> None:
    (tree / "link").symlink_to("dir")
    image = blank(tmp_path / "image", 4 << 20)
    run("mke2fs", "-q", "-t", "ext2", "-b", "1024", "-d", tree, image)
    content = (tree / "dir/deeper/big.bin").read_bytes()
    commands = f"sif /dir/deeper/big.bin size {1 << 56}\nsif /dir/deeper size {1 << 30}\nsif /link size {1 << 30}\n"
    run("debugfs", "-w", "-f", "-", image, stdin=commands)
    o = opened(image)
    entry = o.one("/dir/deeper/big.bin")
    assert entry.size == 1 << 56
    stream = o.filesystem.open(entry)
    assert stream.read(300_000) == content
    assert stream.read_errors[0].length > 1 << 55
    assert {p.locator for p in o.gaps} == {"/dir/deeper/big.bin", "/dir/deeper", "/link"}


def test_large_file_without_extents(tmp_path: Path, opened: Any) -> None:
    """Direct, single, double and triple indirect blocks, with holes between them."""
    tree = tmp_path / "tree"
    tree.mkdir()
    parts = {0: os.urandom(20_000), 300_000: os.urandom(5000), (1 << 26) + (1 << 20): os.urandom(9_000), 1 << 28: b"end"}
    with (tree / "holes").open("wb") as file:
        for offset, part in parts.items():
            file.seek(offset)
            file.write(part)
    (tree / "dense").write_bytes(os.urandom(1 << 16) * 300)
    image = blank(tmp_path / "image", 40 << 20)
    run("mke2fs", "-q", "-t", "ext3", "-b", "1024", "-d", tree, image)
    o = opened(image)
    assert o.filesystem.problems == []
    holes = o.one("/holes")
    assert (holes.size, holes.flags, sum(r.length for r in holes.runs)) == ((1 << 28) + 3, ("sparse",), (1 << 28) + 3)
    stream = o.filesystem.open(holes)
    for offset, part in parts.items():
        stream.seek(offset)
        assert stream.read(len(part)) == part
    assert hashlib.sha256(o.content(holes)).digest() == hashlib.sha256((tree / "holes").read_bytes()).digest()
    assert o.content(o.one("/dense")) == (tree / "dense").read_bytes()
    run("debugfs", "-w", "-R", "rm dense", image)
    gone = opened(image)
    assert (gone.one("/dense").content, gone.content(gone.one("/dense"))) == ("recoverable", (tree / "dense").read_bytes())


def test_truncated_volume_says_so(tree: Path, tmp_path: Path, opened: Any) -> None:
    image = blank(tmp_path / "image", 4 << 20)
    run("mke2fs", "-q", "-t", "ext2", "-b", "1024", "-d", tree, image)
    whole = opened(image)
    last = max(whole.one("/dir/deeper/big.bin").runs)
    cut = last.offset + 5000
    os.truncate(image, cut)
    o = opened(image)
    assert any(
        f"{(4 << 20) - cut} bytes longer than the volume" in p.reason and p.status is Status.UNREADABLE for p in o.filesystem.problems
    )
    stream = o.filesystem.open(o.one("/dir/deeper/big.bin"))
    content = stream.read()
    assert 0 < len(content) < 300_000
    assert stream.read_errors
    assert (tree / "dir/deeper/big.bin").read_bytes().startswith(content)


@pytest.mark.parametrize(("bits", "size"), [(12, 2 << 20), (16, 16 << 20), (32, 40 << 20)])
def test_fat(bits: int, size: int, tree: Path, tmp_path: Path, opened: Any) -> None:
    image = blank(tmp_path / "image", size)
    (tree / "dir" / LONG).rename(tree / "dir" / BASIC)
    (tree / "one.txt").write_bytes(b"1" * 100)
    (tree / "two words.txt").write_bytes(b"2" * 9000)
    run("mkfs.vfat", "-F", str(bits), "-s", "1", "-n", "BOOTLABEL", image)
    run("mcopy", "-Qms", "-i", image, tree / "dir", tree / "empty", tree / "one.txt", tree / "two words.txt", "::/")
    run("mdel", "-i", image, "::/one.txt", "::/two words.txt", f"::/dir/{BASIC}")
    o = opened(image)
    assert (o.filesystem.type, o.filesystem.label) == (f"fat{bits}", "BOOTLABEL")
    assert {e.path.lower(): (e.content, o.md5(e)) for e in o.entries if not e.allocated} == {
        # Windows clears half of the cluster number on deletion from FAT32: with more than 65,535 clusters even one is a guess.
        "/_ne.txt": ("guess" if bits == 32 else "recoverable", hashlib.md5(b"1" * 100).hexdigest()),
        "/two words.txt": ("guess", hashlib.md5(b"2" * 9000).hexdigest()),
        f"/dir/{BASIC}": ("guess", hashlib.md5(b"in words\n" * 1000).hexdigest()),
    }
    assert o.md5(o.one("/dir/deeper/big.bin")) == hashlib.md5((tree / "dir/deeper/big.bin").read_bytes()).hexdigest()
    assert o.filesystem.lookup("/DIR/Deeper/BIG.BIN") == o.one("/dir/deeper/big.bin")
    assert o.one("/dir/deeper").local_times
    assert o.filesystem.problems == []


def test_fat_short_names_beyond_ascii(tmp_path: Path, opened: Any) -> None:
    image = blank(tmp_path / "image", 2 << 20)
    run("mkfs.vfat", image)
    for name in ("AB.TXT", "CD.TXT", "^X.TXT"):
        (tmp_path / name).write_text(name)
        run("mcopy", "-i", image, tmp_path / name, "::/")
    raw = image.read_bytes().replace(b"AB      TXT", b"\x81\xa4      TXT").replace(b"CD      TXT", b"\x84\x94      TXT")
    image.write_bytes(raw)
    o = opened(image)
    assert {e.name: o.content(e) for e in o.entries if e.kind == "file"} == {"üñ.TXT": b"AB.TXT", "äö.TXT": b"CD.TXT", "^X.TXT": b"^X.TXT"}


def test_fat_label_of_the_root_goes_first(tmp_path: Path) -> None:
    image = blank(tmp_path / "image", 2 << 20)
    run("mkfs.vfat", "-n", "OLD", image)
    run("mlabel", "-i", image, "::NEW NAME")
    raw = bytearray(image.read_bytes())
    raw[43:54] = b"BOOT SECTOR"
    image.write_bytes(raw)
    assert identify(FileBytes(image)) == ("fat12", "NEW NAME")
    run("mlabel", "-c", "-i", image, "::")
    assert identify(FileBytes(image)) in (("fat12", "BOOT SECTOR"), ("fat12", None))


def test_fat_directory_loop(tree: Path, tmp_path: Path, opened: Any) -> None:
    (tree / "dir" / LONG).rename(tree / "dir" / BASIC)
    image = blank(tmp_path / "image", 2 << 20)
    run("mkfs.vfat", "-s", "1", image)
    run("mcopy", "-Qms", "-i", image, tree / "dir", "::/")
    o = opened(image)
    layout = read_layout(o.data)
    raw = bytearray(image.read_bytes())
    place = layout.slots + (int(o.one("/dir/deeper").address) - 3) * 32
    struct.pack_into("<H", raw, place + 26, (o.one("/dir").first_offset - layout.data) // layout.cluster + 2)
    image.write_bytes(raw)
    o = opened(image)
    assert o.one(f"/dir/{BASIC}")
    assert [p.locator for p in o.gaps] == ["/dir/deeper/deeper"]
    assert "leads back" in o.gaps[0].reason


def entry_set(name: str, cluster: int, size: int, *, zone: int = 0x84, used: bool = True, contiguous: bool = True) -> bytes:
    """An exFAT directory entry set; 2020-09-13T12:26:40 on a clock ``zone`` (0x84: one hour) ahead of UTC."""
    text = name.encode("utf-16-le", "surrogatepass")
    names = [text[at : at + 30].ljust(30, b"\0") for at in range(0, len(text), 30)]
    stamp = (40 << 25 | 9 << 21 | 13 << 16) | (12 << 11 | 26 << 5 | 20)
    file = struct.pack("<BBHHHIIIBBBBB7x", 0x85, 1 + len(names), 0, 0x20, 0, stamp, stamp, stamp, 0, 0, zone, zone, zone)
    stream = struct.pack("<BBBBHHQIIQ", 0xC0, 3 if contiguous else 1, 0, len(text) // 2, 0, 0, size, 0, cluster, size)
    whole = bytearray(file + stream + b"".join(b"\xc1\0" + part for part in names))
    checksum = 0
    for at, byte in enumerate(whole):
        if at not in (2, 3):
            checksum = ((checksum << 15 | checksum >> 1) & 0xFFFF) + byte & 0xFFFF
    struct.pack_into("<H", whole, 2, checksum)
    if not used:
        for at in range(0, len(whole), 32):
            whole[at] &= 0x7F
    return bytes(whole)


def test_exfat_names_no_library_likes(tmp_path: Path, opened: Any) -> None:
    """A stick must not lose a file because of its name (sleuthkit issue 750)."""
    image = blank(tmp_path / "image", 8 << 20)
    run("mkfs.exfat", "-L", "Prüf 盘", image)
    layout = read_layout(FileBytes(image))
    raw = bytearray(image.read_bytes())
    names = ["ünïcode.txt", "отчёт.txt", "報告書.docx", "🗂 folder.zip", "x" * 200 + "ж", "lone \ud800 surrogate"]
    root = layout.offset(layout.root)
    free = layout.root + 8
    at = next(at for at in range(root, root + layout.cluster, 32) if raw[at] == 0)
    for number, name in enumerate(names):
        entry = entry_set(name, free + number, 11)
        raw[at : at + len(entry)] = entry
        at += len(entry)
        place = layout.offset(free + number)
        raw[place : place + 11] = f"content {number:3d}".encode()
    image.write_bytes(raw)
    o = opened(image)
    assert o.filesystem.label == "Prüf 盘"
    files = [e for e in o.entries if e.kind == "file" and not e.path.startswith("/$")]
    assert [e.name for e in files[:5]] == names[:5]
    assert [o.content(e) for e in files] == [f"content {number:3d}".encode() for number in range(len(names))]
    assert {(e.modified, e.local_times) for e in files} == {((TIME - 3600) * 1_000_000_000, False)}
    assert o.gaps == []


def test_exfat_time_zones(tmp_path: Path, opened: Any) -> None:
    image = blank(tmp_path / "image", 8 << 20)
    run("mkfs.exfat", image)
    layout = read_layout(FileBytes(image))
    raw = bytearray(image.read_bytes())
    root = layout.offset(layout.root)
    at = next(at for at in range(root, root + layout.cluster, 32) if raw[at] == 0)
    for name, zone in (("west", 0x80 | (-20 & 0x7F)), ("utc", 0x80), ("not recorded", 0)):
        entry = entry_set(name, 0, 0, zone=zone)
        raw[at : at + len(entry)] = entry
        at += len(entry)
    image.write_bytes(raw)
    o = opened(image)
    times = {
        name: (o.one(f"/{name}").modified // 1_000_000_000 - TIME, o.one(f"/{name}").local_times)
        for name in ("west", "utc", "not recorded")
    }
    assert times == {"west": (5 * 3600, False), "utc": (0, False), "not recorded": (0, True)}


def test_exfat_deleted(tmp_path: Path, opened: Any) -> None:
    image = blank(tmp_path / "image", 8 << 20)
    run("mkfs.exfat", "-c", "4096", image)
    layout = read_layout(FileBytes(image))
    raw = bytearray(image.read_bytes())
    root = layout.offset(layout.root)
    at = next(at for at in range(root, root + layout.cluster, 32) if raw[at] == 0)
    base = layout.root + 10
    bitmap = next(
        layout.offset(struct.unpack_from("<I", raw, place + 20)[0])
        for place in range(root, root + layout.cluster, 32)
        if raw[place] == 0x81
    )
    chain = [base + 20, base + 30, base + 25]
    for here, following in zip(chain, [*chain[1:], 0xFFFFFFFF], strict=True):
        struct.pack_into("<I", raw, layout.table + 4 * here, following)
    for number, cluster in enumerate(chain):
        raw[layout.offset(cluster) : layout.offset(cluster) + 4096] = bytes([65 + number]) * 4096
    taken = base + 41
    raw[bitmap + (taken - 2) // 8] |= 1 << (taken - 2) % 8
    for entry in (
        entry_set("contiguous", base, 10_000, used=False),
        entry_set("chained", chain[0], 12_000, used=False, contiguous=False),
        entry_set("overwritten", base + 40, 10_000, used=False),
        entry_set("no chain left", base + 50, 10_000, used=False, contiguous=False),
    ):
        raw[at : at + len(entry)] = entry
        at += len(entry)
    image.write_bytes(raw)
    o = opened(image)
    assert {e.path: (e.size, e.content) for e in o.entries if not e.allocated} == {
        "/contiguous": (10_000, "recoverable"),
        "/chained": (12_000, "recoverable"),
        "/overwritten": (10_000, "overwritten"),
        "/no chain left": (10_000, "guess"),
    }
    assert o.content(o.one("/chained")) == (b"A" * 4096 + b"B" * 4096 + b"C" * 4096)[:12_000]


def test_ntfs_fallback(tree: Path, tmp_path: Path) -> None:
    image = blank(tmp_path / "image", 8 << 20)
    run("mkntfs", "-q", "-F", "-L", "Prüfung", image)
    run("ntfscp", "-q", image, tree / "dir/deeper/big.bin", "/big.bin")
    run("ntfscp", "-q", "-N", "second", image, tree / "dir" / LONG, "/big.bin")
    data = FileBytes(image)
    assert identify(data) == ("ntfs", "Prüfung")
    filesystem = TskFilesystem(data, "ntfs", None)
    main, stream = filesystem.lookup("/BIG.bin"), filesystem.lookup("/big.bin:second")
    assert main is not None and stream is not None
    assert (main.kind, stream.kind, stream.size) == ("file", "stream", 9000)
    assert filesystem.open(main).read() == (tree / "dir/deeper/big.bin").read_bytes()
    assert filesystem.open(stream).read() == b"in words\n" * 1000
    assert [e.name for e in filesystem.children("/") if e.name[0] != "$"] == ["big.bin"]
    assert filesystem.problems == []
    filesystem.close()
    filesystem.close()


def test_xfs(tree: Path, tmp_path: Path, opened: Any) -> None:
    image = blank(tmp_path / "image", 320 << 20)
    big = tree / "dir/deeper/big.bin"
    protofile = tmp_path / "proto"
    protofile.write_text(f"boot\n0 0\nd--755 0 0\ndir d--755 0 0\nbig.bin ---644 0 0 {big}\nl l--777 0 0 dir/big.bin\n$\n$\n")
    run("mkfs.xfs", "-q", "-L", "prüfung", "-p", protofile, image)
    o = opened(image)
    assert (o.filesystem.type, o.filesystem.label) == ("xfs", "prüfung")
    assert o.files() == {"/dir/big.bin": hashlib.md5(big.read_bytes()).hexdigest()}
    assert o.one("/dir/l").link_target == "dir/big.bin"
    assert o.filesystem.lookup("/DIR") is None
    assert sum(run.length for run in o.one("/dir/big.bin").runs) == 300_000
    assert [p.status for p in o.filesystem.problems] == [Status.SKIPPED]


def test_iso_with_long_names(tree: Path, tmp_path: Path, opened: Any) -> None:
    image = tmp_path / "image.iso"
    (tree / "dir" / LONG).rename(tree / "dir" / "a rather long name, wíth äccents.txt")
    run("genisoimage", "-quiet", "-J", "-V", "DISC", "-o", image, tree)
    o = opened(image)
    assert (o.filesystem.type, o.filesystem.label, o.filesystem.problems) == ("iso9660", "DISC", [])
    assert o.files() == md5s(tree)
    found = o.one("/dir/deeper/big.bin")
    assert (found.created, found.local_times) == (TIME * 1_000_000_000, False)
