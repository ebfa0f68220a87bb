"""Scenes made by running real programs on real file systems."""

from __future__ import annotations

import os
import random
from pathlib import Path

from tests.scenes.scene import Book
from tests.scenes.volumes import run, volume
from tests.scenes.windows import WORDS, name

BOOK = Book()
NAMES = "evasion.names_overwritten"


def _filled(where: Path, dice: random.Random, files: int = 14) -> list[Path]:
    """A person's files in folders of their own; those in one of them are returned."""
    for folder in ("Documents", "Pictures", "Music"):
        (where / "home" / "jo" / folder).mkdir(parents=True)
        for _ in range(dice.randint(5, 12)):
            (where / "home" / "jo" / folder / name(dice)).write_bytes(dice.randbytes(dice.randint(100, 40_000)) + b"\0" * 5000)
    chosen = where / "home" / "jo" / f"{dice.choice(WORDS)} {dice.randint(1, 9)}"
    chosen.mkdir()
    made = []
    for number in range(files):
        path = chosen / f"{number} {name(dice)}"
        path.write_bytes(dice.randbytes(dice.randint(200, 9000)))
        made.append(path)
    run("sync")
    return made


def _wiped(kind: str, command: list[str], count: int):  # type: ignore[no-untyped-def]
    def build(folder: Path, dice: random.Random) -> Path:
        image = folder / f"{kind}.img"
        with volume(image, kind) as where:
            files = _filled(where, dice, count + 4)
            run(*command, *files[:count], home=folder)
        return image

    return build


for _kind in ("ext4", "ntfs"):
    for _tool, _command, _count in (
        ("shred", ["shred", "-n", "1", "-u"], 3),
        ("wipe", ["wipe", "-q", "-f", "-Q", "1"], 4),
    ):
        BOOK.evasion(f"{_tool} on {_kind}", NAMES, volumes=True, tools=(_tool,))(_wiped(_kind, _command, _count))
BOOK.evasion("srm on ntfs", NAMES, volumes=True, tools=("srm",))(_wiped("ntfs", ["srm", "-ll"], 14))
BOOK.evasion("bleachbit on ntfs", NAMES, volumes=True, tools=("bleachbit",))(_wiped("ntfs", ["bleachbit", "--shred"], 14))
for _kind in ("ext4", "ntfs"):
    BOOK.innocent(f"rm on {_kind}", volumes=True)(_wiped(_kind, ["rm"], 14))
BOOK.innocent("a single file deleted on ext4", volumes=True)(_wiped("ext4", ["rm"], 1))


@BOOK.evasion("renamed from A to Z and deleted, on ntfs", NAMES, volumes=True)
def alphabet_on_ntfs(folder: Path, dice: random.Random) -> Path:
    """The renames of SDelete, done on a real volume."""
    image = folder / "stick.img"
    with volume(image, "ntfs") as where:
        for path in _filled(where, dice, 9)[:4]:
            _renamed_like(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return image


@BOOK.evasion("renamed to Z and deleted, on ntfs", NAMES, volumes=True)
def z_on_ntfs(folder: Path, dice: random.Random) -> Path:
    """The renaming of CCleaner."""
    image = folder / "stick.img"
    with volume(image, "ntfs") as where:
        for path in _filled(where, dice, 9)[:5]:
            _renamed_like(path, "Z")
    return image


def _renamed_like(path: Path, letters: str) -> None:
    for letter in letters:
        path = path.rename(path.with_name("".join("." if one == "." else letter for one in path.name)))
        os.sync()
    path.unlink()


@BOOK.evasion("free space filled with EFSTMPWP, on ntfs", NAMES, volumes=True)
def cipher_on_ntfs(folder: Path, dice: random.Random) -> Path:
    """The folder of cipher /w."""
    image = folder / "disk.img"
    with volume(image, "ntfs") as where:
        for path in _filled(where, dice, 9)[:5]:
            path.unlink()
        (where / "EFSTMPWP").mkdir()
        for number in range(3):
            (where / "EFSTMPWP" / f"fil{dice.randint(1000, 9999)}.tmp").write_bytes(
                bytes([0, 255, dice.randint(1, 254)][number : number + 1]) * 1_000_000
            )
        run("sync")
        for path in list((where / "EFSTMPWP").iterdir()):
            path.unlink()
        (where / "EFSTMPWP").rmdir()
    return image


@BOOK.innocent("odd names of usual files, on ntfs", volumes=True)
def odd_names(folder: Path, dice: random.Random) -> Path:
    """Short and odd names that people and programs use, some deleted."""
    image = folder / "disk.img"
    with volume(image, "ntfs") as where:
        _filled(where, dice)
        place = where / "home" / "jo" / "Documents"
        for text in ("AAAA.txt", "zzz.doc", "000.jpg", "0001.png", "x", "Z", "ZZ Top.mp3", "qwrt.psd", "0", "tmpxqzk.tmp", "~WRL0001.tmp"):
            (place / text).write_bytes(dice.randbytes(700))
        run("sync")
        for text in ("000.jpg", "x", "ZZ Top.mp3", "tmpxqzk.tmp", "~WRL0001.tmp", "zzz.doc"):
            (place / text).unlink()
    return image


@BOOK.innocent("temporary files deleted, on ntfs", volumes=True)
def temporary(folder: Path, dice: random.Random) -> Path:
    """What programs do all day: hundreds of files with random names come and go."""
    image = folder / "disk.img"
    with volume(image, "ntfs") as where:
        _filled(where, dice)
        place = where / "Users" / "jo" / "AppData" / "Local" / "Temp"
        place.mkdir(parents=True)
        made = []
        for _ in range(300):
            text = "".join(dice.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(8))
            made.append(place / f"{text}{dice.choice(('.tmp', '', '.log', '.dll', '.json'))}")
            made[-1].write_bytes(dice.randbytes(50))
        run("sync")
        for path in made:
            path.unlink(missing_ok=True)
    return image


@BOOK.innocent("packages built and removed, on ext4", volumes=True)
def packages(folder: Path, dice: random.Random) -> Path:
    """A tree of program files that is moved and removed."""
    image = folder / "disk.img"
    with volume(image, "ext4") as where:
        _filled(where, dice)
        tree = where / "home" / "jo" / "project" / "node_modules"
        for number in range(40):
            (tree / dice.choice(WORDS) / str(number)).mkdir(parents=True)
            for letter in "abc":
                (tree / f"{letter}{number}.js").write_text(f"// {number}\n")
        run("sync")
        (tree / "a1.js").rename(tree / "a1.js.bak")
        run("rm", "-r", tree)
    return image


@BOOK.evasion("free space overwritten by sfill, on ext4", "evasion.free_space", volumes=True, tools=("sfill",))
def sfill_on_ext4(folder: Path, dice: random.Random) -> Path:
    """Secure-delete's tool for free space, which writes random bytes."""
    image = folder / "disk.img"
    with volume(image, "ext4", 24 << 20) as where:
        for path in _filled(where, dice)[:8]:
            path.unlink()
        run("sfill", "-l", "-f", where, check=False)
    return image


@BOOK.evasion("free space overwritten with random bytes, on ntfs", "evasion.free_space", volumes=True)
def random_fill_on_ntfs(folder: Path, dice: random.Random) -> Path:
    """A file of random bytes as large as there is room, then deleted."""
    image = folder / "disk.img"
    with volume(image, "ntfs", 24 << 20) as where:
        for path in _filled(where, dice)[:8]:
            path.unlink()
        _fill(where / f"{dice.choice(WORDS)}.bin", os.urandom)
    return image


def _fill(path: Path, content) -> None:  # type: ignore[no-untyped-def]
    try:
        with open(path, "wb", buffering=0) as file:
            while True:
                if file.write(content(1 << 16)) == 0:
                    break
    except OSError:
        pass
    run("sync")
    path.unlink()


@BOOK.innocent("free space that is zero, on ext4", volumes=True)
def zero_fill_on_ext4(folder: Path, dice: random.Random) -> Path:
    """What a solid state drive looks like after TRIM."""
    image = folder / "disk.img"
    with volume(image, "ext4", 24 << 20) as where:
        for path in _filled(where, dice)[:8]:
            path.unlink()
        _fill(where / "zeros", bytes)
    return image


@BOOK.innocent("a drive whose deleted films are still there, on ntfs", volumes=True, tools=("gzip",))
def used_disk(folder: Path, dice: random.Random) -> Path:
    """Free space full of what was deleted: compressed data, which looks nearly random."""
    image = folder / "disk.img"
    with volume(image, "ntfs", 24 << 20) as where:
        _filled(where, dice)
        import zlib

        def film(size: int) -> bytes:
            words = " ".join(dice.choices(WORDS, k=size // 5)).encode()
            return zlib.compress(words, 9)

        _fill(where / "film.mp4", film)
    return image


@BOOK.evasion("a LUKS container in a file, on ext4", "encryption.container", volumes=True, tools=("cryptsetup",))
def luks_in_a_file(folder: Path, dice: random.Random) -> Path:
    """A container made by cryptsetup, named like something else."""
    image = folder / "disk.img"
    with volume(image, "ext4") as where:
        _filled(where, dice)
        path = where / "home" / "jo" / "Music" / f"{dice.choice(WORDS)}.mp3"
        with open(path, "wb") as file:
            file.truncate(20 << 20)
        key = folder / "key"
        key.write_text("a password of a test")
        run(
            "cryptsetup",
            "-q",
            "luksFormat",
            "--type",
            dice.choice(("luks1", "luks2")),
            "--pbkdf",
            "pbkdf2",
            "--pbkdf-force-iterations",
            "1000",
            path,
            key,
        )
        key.unlink()
    return image


@BOOK.evasion("a container without a header, on ntfs", "encryption.container", volumes=True)
def container_without_header(folder: Path, dice: random.Random) -> Path:
    """What VeraCrypt's containers look like: whole sectors of bytes without any pattern."""
    image = folder / "disk.img"
    with volume(image, "ntfs") as where:
        _filled(where, dice)
        (where / "home" / "jo" / "Documents" / f"{dice.choice(WORDS)}.{dice.choice(('dat', 'bin', 'iso'))}").write_bytes(
            os.urandom((300 + dice.randint(0, 9000)) * 1024)
        )
    return image


@BOOK.evasion("an encrypted folder of gocryptfs, on ext4", "encryption.container", volumes=True, tools=("gocryptfs",))
def gocryptfs_folder(folder: Path, dice: random.Random) -> Path:
    """A folder that gocryptfs keeps its encrypted files in."""
    image = folder / "disk.img"
    with volume(image, "ext4") as where:
        _filled(where, dice)
        place = where / "home" / "jo" / dice.choice(WORDS)
        place.mkdir()
        secret = folder / "secret"
        secret.write_text("a password of a test\n")
        run("gocryptfs", "-q", "-init", "-scryptn", "10", "-passfile", secret, place)
        secret.unlink()
        for _ in range(5):
            (place / "".join(dice.choice("abcdefghijkmnpqrstuvwxyz_-") for _ in range(22))).write_bytes(os.urandom(4160))
    return image


@BOOK.innocent("packed and compressed files, on ext4", volumes=True, tools=("gzip", "xz"))
def packed_files(folder: Path, dice: random.Random) -> Path:
    """Archives, pictures and films: nearly random, with a header; and parts of them, without one."""
    image = folder / "disk.img"
    with volume(image, "ext4") as where:
        _filled(where, dice)
        import lzma
        import zlib

        words = " ".join(dice.choices(WORDS, k=900_000)).encode()
        place = where / "home" / "jo" / "Documents"
        (place / "backup.xz").write_bytes(lzma.compress(words)[: 1 << 19])
        packed = zlib.compress(words, 9)
        (place / "archive.gz").write_bytes(b"\x1f\x8b\x08" + packed)
        (place / "part.001").write_bytes(packed[1000 : 1000 + (1 << 19)])
        (place / "film.mp4").write_bytes(b"\0\0\0\x18ftypisom" + packed[: (1 << 20) - 12])
        (place / "save.dat").write_bytes(os.urandom(4096))
        (place / "key.bin").write_bytes(os.urandom(64_000))
        (place / "odd.bin").write_bytes(os.urandom(500_001))
    return image


def _home(kind: str, act) -> object:  # type: ignore[no-untyped-def]
    """A person's folder on a volume, in which ``act(home, dice)`` runs a program."""

    def build(folder: Path, dice: random.Random) -> Path:
        image = folder / "disk.img"
        with volume(image, kind) as where:
            _filled(where, dice)
            act(where / "home" / "jo", dice)
        return image

    return build


def _bleachbit_cleans(home: Path, dice: random.Random) -> None:
    run("bleachbit", "--clean", "system.recent_documents", "bash.history", home=home, check=False)


def _tor_starts(home: Path, dice: random.Random) -> None:
    run("timeout", "4", "tor", "--DataDirectory", home / ".tor", "--DisableNetwork", "1", "--SocksPort", "0", home=home, check=False)


BOOK.evasion("bleachbit used by a person", "software.seen", volumes=True, tools=("bleachbit",))(_home("ext4", _bleachbit_cleans))  # type: ignore[arg-type]
BOOK.evasion("tor started by a person", "software.seen", volumes=True, tools=("tor",))(_home("ext4", _tor_starts))  # type: ignore[arg-type]


def _words_only(home: Path, dice: random.Random) -> None:
    for text in (
        "bleachbit review.txt",
        "tor guide.pdf",
        "eraser and pencil.jpg",
        "shredder manual.pdf",
        "wipe dry.docx",
        "onion soup.odt",
    ):
        (home / "Documents" / text).write_bytes(dice.randbytes(3000))
    (home / "Documents" / "letter.txt").write_text("They sell BleachBit, Tor Browser and CCleaner at the market.\n")


BOOK.innocent("files that are named like wiping programs", volumes=True)(_home("ext4", _words_only))  # type: ignore[arg-type]


def _gnome(home: Path, dice: random.Random) -> None:
    (home / ".local/share").mkdir(parents=True)
    (home / ".config").mkdir(parents=True)
    (home / ".bash_history").write_text("ls\ncd Documents\nrm old.txt\nsudo apt update\nfirefox &\n")
    (home / ".config/user-dirs.dirs").write_text('XDG_DESKTOP_DIR="$HOME/Desktop"\n')
    (home / ".local/share/recently-used.xbel").write_text('<?xml version="1.0" encoding="UTF-8"?>\n<xbel version="1.0"></xbel>\n')


BOOK.innocent("a desktop of Linux in usual use", volumes=True)(_home("ext4", _gnome))  # type: ignore[arg-type]


def _moved(home: Path, dice: random.Random) -> None:
    (home / "Archive").mkdir()
    for path in sorted((home / "Pictures").iterdir()):
        path.rename(home / "Archive" / path.name)
    run("sync")
    for number, path in enumerate(sorted((home / "Archive").iterdir())):
        path.rename(path.with_name(f"{number:03d}{path.suffix}"))


BOOK.innocent("pictures moved and numbered, on ext4", volumes=True)(_home("ext4", _moved))  # type: ignore[arg-type]
BOOK.innocent("pictures moved and numbered, on ntfs", volumes=True)(_home("ntfs", _moved))  # type: ignore[arg-type]
for _kind, _tool, _command, _count in (
    ("ext4", "shred", ["shred", "-n", "2", "-z", "-u"], 1),
    ("ntfs", "shred", ["shred", "-u"], 8),
    ("ext4", "wipe", ["wipe", "-q", "-f", "-Q", "2"], 1),
):
    BOOK.evasion(f"{_tool} of {_count} on {_kind}", NAMES, volumes=True, tools=(_tool,))(_wiped(_kind, _command, _count))
