"""Scenes of Windows computers whose traces are written here: the change journal, the registry, logs, Prefetch, a browser's files."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from pathlib import Path

from tests.scenes import windows
from tests.scenes.scene import Book
from tests.scenes.volumes import volume, with_system_files
from tests.scenes.windows import CLEARED, SIGN_IN, ChangeJournal, moment, name

BOOK = Book()
NAMES = "evasion.names_overwritten"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
CHROME = Path("Users/jo/AppData/Local/Google/Chrome/User Data/Default")


def _with_journal(tell, folders: bool = True):  # type: ignore[no-untyped-def]
    """A volume with the change journal that ``tell(journal, dice, folder)`` writes; ``folder``: the number of a folder of a person."""

    def build(folder: Path, dice: random.Random) -> Path:
        image = folder / "windows.img"
        with volume(image, "ntfs") as where:
            place = where / "Users" / "jo" / dice.choice(("Documents", "Pictures", "Desktop"))
            place.mkdir(parents=True)
            for _ in range(9):
                (place / name(dice)).write_bytes(dice.randbytes(900))
            (where / "Windows" / "System32").mkdir(parents=True)
            journal = ChangeJournal(moment(dice))
            number = place.stat().st_ino
            for _ in range(dice.randint(5, 40)):
                _usual(journal, dice, number)
            tell(journal, dice, number)
            for _ in range(dice.randint(5, 40)):
                _usual(journal, dice, number)
            (where / "$Extenx").mkdir()
            (where / "$Extenx" / "$UsnJrnl").write_bytes(b"")
            (where / "$Extenx" / "$UsnJrnl:$J").write_bytes(journal.data())
        with_system_files(image)
        return image

    return build


def _usual(journal: ChangeJournal, dice: random.Random, folder: int) -> None:
    """What happens all day: a document saved through a temporary file, a download that gets its name, a file deleted."""
    file, text = dice.randint(1000, 60_000), name(dice)
    kind = dice.randint(0, 3)
    if kind == 0:
        temporary = f"{dice.getrandbits(32):08X}.tmp"
        journal.rename(text, temporary, file, folder)
        journal.rename(f"~{text}", text, file + 1, folder)
        journal.delete(temporary, file, folder)
    elif kind == 1:
        journal.rename(f"Unconfirmed {dice.randint(1, 999999)}.crdownload", text, file, folder)
    elif kind == 2:
        journal.delete(text, file, folder)
    else:
        journal.rename(text, f"{text}.old", file, folder)
    journal.wait(dice.randint(1, 4000))


def _shape(text: str, letter: str) -> str:
    return "".join("." if one == "." else letter for one in text)


def _sdelete(count: int):  # type: ignore[no-untyped-def]
    def tell(journal: ChangeJournal, dice: random.Random, folder: int) -> None:
        for _ in range(count):
            file, text = dice.randint(1000, 60_000), name(dice)
            for letter in _LETTERS.upper():
                new = _shape(text, letter)
                journal.rename(text, new, file, folder)
                text = new
            journal.delete(text, file, folder)
            journal.wait(2)

    return tell


def _ccleaner(journal: ChangeJournal, dice: random.Random, folder: int) -> None:
    for _ in range(dice.randint(3, 8)):
        file, text = dice.randint(1000, 60_000), name(dice)
        journal.rename(text, _shape(text, "Z"), file, folder)
        journal.delete(_shape(text, "Z"), file, folder)


def _eraser(journal: ChangeJournal, dice: random.Random, folder: int) -> None:
    for _ in range(dice.randint(3, 6)):
        file, text = dice.randint(1000, 60_000), name(dice)
        for _ in range(7):
            new = "".join("." if one == "." else dice.choice(_LETTERS + _LETTERS.upper() + "0123456789") for one in text.replace(" ", "x"))
            journal.rename(text, new, file, folder)
            text = new
        journal.delete(text, file, folder)


def _bleachbit(journal: ChangeJournal, dice: random.Random, folder: int) -> None:
    for _ in range(dice.randint(3, 6)):
        file, text = dice.randint(1000, 60_000), name(dice)
        for length in (226, 1):
            new = "".join(dice.choices(_LETTERS + _LETTERS.upper() + "0123456789", k=length))
            journal.rename(text, new, file, folder)
            text = new
        journal.delete(text, file, folder)


BOOK.evasion("SDelete of one file in the change journal", NAMES, volumes=True)(_with_journal(_sdelete(1)))
BOOK.evasion("SDelete of six files in the change journal", NAMES, volumes=True)(_with_journal(_sdelete(6)))
BOOK.evasion("CCleaner in the change journal", NAMES, volumes=True)(_with_journal(_ccleaner))
BOOK.evasion("Eraser in the change journal", NAMES, volumes=True)(_with_journal(_eraser))
BOOK.evasion("BleachBit in the change journal", NAMES, volumes=True)(_with_journal(_bleachbit))


@BOOK.innocent("a change journal of usual work", volumes=True)
def usual_work(folder: Path, dice: random.Random) -> Path:
    """Documents saved, downloads, files deleted; nothing else."""
    return _with_journal(lambda journal, d, number: [_usual(journal, d, number) for _ in range(300)])(folder, dice)  # type: ignore[no-any-return]


@BOOK.innocent("pictures renamed by a program, in the change journal", volumes=True)
def renamed_pictures(folder: Path, dice: random.Random) -> Path:
    """A program for pictures renames in two steps; letters of the alphabet are used as names of volumes of an archive."""

    def tell(journal: ChangeJournal, d: random.Random, number: int) -> None:
        for count in range(60):
            journal.rename(f"IMG_{count:04d}.JPG", f"~ren{count:04d}.tmp", 3000 + count, number)
            journal.rename(f"~ren{count:04d}.tmp", f"Holiday {count:03d}.jpg", 3000 + count, number)
        for letter in "ABCDE":
            journal.rename(f"part {letter}.zip", f"{letter}.zip", 4000 + ord(letter), number)
            journal.delete(f"{letter}.zip", 4000 + ord(letter), number)

    return _with_journal(tell)(folder, dice)  # type: ignore[no-any-return]


@BOOK.innocent("a folder of old pictures deleted, in the change journal", volumes=True)
def old_pictures(folder: Path, dice: random.Random) -> Path:
    """Many files deleted at once: told, but no more than a note."""

    def tell(journal: ChangeJournal, d: random.Random, number: int) -> None:
        for count in range(180):
            journal.delete(f"IMG_{count:04d}.JPG", 3000 + count, number)

    return _with_journal(tell)(folder, dice)  # type: ignore[no-any-return]


def _machine(where: Path, dice: random.Random, *, recent: int = 30, started: int = 25) -> None:
    """A used Windows computer with its traces in place."""
    folders = {
        "Windows/Prefetch": 40, "Users/jo/AppData/Roaming/Microsoft/Windows/Recent": 30,
    }  # fmt: skip
    for folder in (*folders, "Windows/System32/config", "Windows/System32/winevt/Logs", "Users/jo/Documents", "Users/jo/Pictures"):
        (where / folder).mkdir(parents=True, exist_ok=True)
    for number in range(folders["Windows/Prefetch"]):
        program = f"{dice.choice(windows.WORDS).upper()}{number}.EXE"
        (where / "Windows/Prefetch" / f"{program}-{dice.getrandbits(32):08X}.pf").write_bytes(windows.prefetch(dice, program))
    for _ in range(folders["Users/jo/AppData/Roaming/Microsoft/Windows/Recent"]):
        text = name(dice)
        place = where / "Users/jo/AppData/Roaming/Microsoft/Windows/Recent" / f"{text}.lnk"
        place.write_bytes(windows.shortcut(dice, f"C:\\Users\\jo\\Documents\\{text}"))
    jumps = where / "Users/jo/AppData/Roaming/Microsoft/Windows/Recent/AutomaticDestinations"
    jumps.mkdir()
    for _ in range(6):
        (jumps / f"{dice.getrandbits(64):016x}.automaticDestinations-ms").write_bytes(b"")
    (where / "Users/jo/NTUSER.DAT").write_bytes(windows.user_hive(dice, recent, started))
    for _ in range(20):
        (where / "Users/jo/Documents" / name(dice)).write_bytes(dice.randbytes(3000))


def _image(change, **options):  # type: ignore[no-untyped-def]
    """A machine on a volume, and what ``change(where, dice)`` did to it then."""

    def build(folder: Path, dice: random.Random) -> Path:
        image = folder / "windows.img"
        with volume(image, "ntfs") as where:
            _machine(where, dice, **options)
            os.sync()
            change(where, dice)
        return image

    return build


def _emptied(*places: str):  # type: ignore[no-untyped-def]
    def change(where: Path, dice: random.Random) -> None:
        for place in places:
            for path in list((where / place).iterdir()):
                if path.is_file():
                    path.unlink()

    return change


_RECENT = "Users/jo/AppData/Roaming/Microsoft/Windows/Recent"
BOOK.evasion("Prefetch and recent files emptied", "evasion.places_emptied", volumes=True)(_image(_emptied("Windows/Prefetch", _RECENT)))
BOOK.evasion("Prefetch, recent files and jump lists emptied", "evasion.places_emptied", volumes=True)(
    _image(_emptied("Windows/Prefetch", _RECENT, f"{_RECENT}/AutomaticDestinations"))
)
BOOK.evasion("recent files and jump lists emptied", "evasion.places_emptied", volumes=True)(
    _image(_emptied(_RECENT, f"{_RECENT}/AutomaticDestinations"))
)
BOOK.innocent("Prefetch emptied by a program for speed", volumes=True)(_image(_emptied("Windows/Prefetch")))
BOOK.innocent("a used computer", volumes=True)(_image(lambda where, dice: None))


@BOOK.innocent("the oldest Prefetch files removed by Windows", volumes=True)
def oldest_prefetch(folder: Path, dice: random.Random) -> Path:
    """Windows keeps so many and removes the rest."""

    def change(where: Path, d: random.Random) -> None:
        for path in sorted((where / "Windows/Prefetch").iterdir())[:25]:
            path.unlink()

    return _image(change)(folder, dice)  # type: ignore[no-any-return]


def _folder(fill):  # type: ignore[no-untyped-def]
    def build(folder: Path, dice: random.Random) -> Path:
        root = folder / "evidence"
        root.mkdir()
        fill(root, dice)
        return root

    return build


def _lists_emptied(root: Path, dice: random.Random) -> None:
    _machine(root, dice, recent=0, started=0)


BOOK.evasion("the lists of what was opened and started emptied", "evasion.lists_emptied")(_folder(_lists_emptied))


@BOOK.innocent("a new account that was never used")
def new_account(folder: Path, dice: random.Random) -> Path:
    """Empty lists, and nothing else either."""

    def fill(root: Path, d: random.Random) -> None:
        (root / "Users/jo/Documents").mkdir(parents=True)
        (root / "Users/jo/NTUSER.DAT").write_bytes(windows.user_hive(d, 0, 0))

    return _folder(fill)(folder, dice)  # type: ignore[no-any-return]


@BOOK.innocent("an account whose list of files is switched off")
def list_off(folder: Path, dice: random.Random) -> Path:
    """RecentDocs is empty, UserAssist is full."""
    return _folder(lambda root, d: _machine(root, d, recent=0, started=25))(folder, dice)  # type: ignore[no-any-return]


def _logs(**logs: list[tuple[int, str, tuple[str, ...]]]):  # type: ignore[no-untyped-def]
    def fill(root: Path, dice: random.Random) -> None:
        _machine(root, dice)
        start = moment(dice)
        for text, events in logs.items():
            data = windows.event_log(*events, start=start + timedelta(minutes=dice.randint(0, 30)), first=dice.randint(1, 5000))
            (root / "Windows/System32/config" / f"{text}.Evt").write_bytes(data)

    return _folder(fill)


BOOK.evasion("the security log emptied", "evasion.log_cleared")(_logs(SecEvent=[CLEARED, SIGN_IN, SIGN_IN]))
BOOK.innocent("logs that were never emptied")(_logs(SecEvent=[SIGN_IN] * 30, SysEvent=[(6005, "EventLog", ()), (6006, "EventLog", ())] * 4))


@BOOK.evasion("a log emptied and lists emptied on one day", "evasion.log_cleared", "evasion.lists_emptied")
def log_and_lists(folder: Path, dice: random.Random) -> Path:
    """Two of them together."""

    def fill(root: Path, d: random.Random) -> None:
        _machine(root, d, recent=0, started=0)
        data = windows.event_log(CLEARED, SIGN_IN, start=moment(d))
        (root / "Windows/System32/config/SecEvent.Evt").write_bytes(data)

    return _folder(fill)(folder, dice)  # type: ignore[no-any-return]


def _chrome(visits: int, hosts: int):  # type: ignore[no-untyped-def]
    def fill(root: Path, dice: random.Random) -> None:
        place = root / CHROME
        (place / "Network").mkdir(parents=True)
        start = moment(dice)
        (place / "History").write_bytes(windows.chrome_history(dice, visits, start))
        (place / "Network" / "Cookies").write_bytes(windows.chrome_cookies(dice, hosts, start))

    return _folder(fill)


BOOK.evasion("Chrome's history gone, cookies of forty sites left", "evasion.use_without_history", "browser.history_gap")(_chrome(0, 40))
BOOK.evasion("Chrome's history gone, cookies of twelve sites left", "evasion.use_without_history", "browser.history_gap")(_chrome(0, 12))
BOOK.innocent("Chrome newly installed, three cookies")(_chrome(0, 3))


@BOOK.innocent("Chrome with its history")
def whole_history(folder: Path, dice: random.Random) -> Path:
    """Visits and cookies of the same sites."""

    def fill(root: Path, d: random.Random) -> None:
        place = root / CHROME
        (place / "Network").mkdir(parents=True)
        start = moment(d)
        seed = d.random()
        (place / "History").write_bytes(windows.chrome_history(random.Random(seed), 60, start))
        (place / "Network" / "Cookies").write_bytes(windows.chrome_cookies(random.Random(seed), 60, start))

    return _folder(fill)(folder, dice)  # type: ignore[no-any-return]


@BOOK.innocent("keys and caches of programs that look random")
def program_stores(folder: Path, dice: random.Random) -> Path:
    """Encrypted stores of programs in their own folders, and small keys."""

    def fill(root: Path, d: random.Random) -> None:
        for place in ("Users/jo/AppData/Local/Music/Storage", "ProgramData/Tool", "Users/jo/.cache/tool"):
            (root / place).mkdir(parents=True)
            for number in range(3):
                (root / place / f"{d.getrandbits(128):032x}.file").write_bytes(os.urandom((512 + 100 * number) * 1024))
        (root / "Users/jo/Documents").mkdir(parents=True)
        (root / "Users/jo/Documents/passwords.kdbx").write_bytes(bytes.fromhex("03d9a29a67fb4bb5") + os.urandom(20_000))

    return _folder(fill)(folder, dice)  # type: ignore[no-any-return]


def _programs(*names: str):  # type: ignore[no-untyped-def]
    def fill(root: Path, dice: random.Random) -> None:
        _machine(root, dice)
        for program in names:
            (root / "Windows/Prefetch" / f"{program}-{dice.getrandbits(32):08X}.pf").write_bytes(windows.prefetch(dice, program))

    return _folder(fill)


BOOK.evasion("SDelete was run", "software.seen")(_programs("SDELETE64.EXE"))
BOOK.evasion("VeraCrypt was run", "software.seen")(_programs("VERACRYPT.EXE"))
BOOK.innocent("usual programs were run")(_programs("WINWORD.EXE", "EXCEL.EXE", "MSEDGE.EXE", "NOTEPAD.EXE", "PHOTOS.EXE", "SPOTIFY.EXE"))


def _two_journals(journal: ChangeJournal, dice: random.Random, folder: int) -> None:
    _sdelete(2)(journal, dice, folder)
    for _ in range(120):
        _usual(journal, dice, folder)
    _ccleaner(journal, dice, folder)


BOOK.evasion("SDelete one day, CCleaner another, among usual work", NAMES, volumes=True)(_with_journal(_two_journals))


def _office(journal: ChangeJournal, dice: random.Random, folder: int) -> None:
    for _ in range(80):
        file, text = dice.randint(1000, 60_000), name(dice, "docx")
        for _ in range(dice.randint(1, 5)):
            temporary = f"~WRD{dice.randint(0, 9999):04d}.tmp"
            journal.rename(text, f"~WRL{dice.randint(0, 9999):04d}.tmp", file, folder)
            journal.rename(temporary, text, file + 1, folder)
        journal.delete(f"~${text[2:]}", file, folder)


BOOK.innocent("documents saved again and again, in the change journal", volumes=True)(_with_journal(_office))


def _browser_journal(journal: ChangeJournal, dice: random.Random, folder: int) -> None:
    for _ in range(200):
        file = dice.randint(1000, 60_000)
        unique = "".join(dice.choice(_LETTERS + "0123456789") for _ in range(8))
        journal.rename(f"{unique}.tmp", f"f_{dice.getrandbits(24):06x}", file, folder)
        journal.delete(f"f_{dice.getrandbits(24):06x}", file, folder)
        journal.rename(f"{dice.getrandbits(128):032x}", f"{dice.getrandbits(128):032x}.1", file + 1, folder)
        journal.delete(f"{dice.getrandbits(128):032x}.1", file + 1, folder)


BOOK.innocent("a browser's cache at work, in the change journal", volumes=True)(_with_journal(_browser_journal))


@BOOK.innocent("a memory card of a camera, emptied", volumes=True)
def camera_card(folder: Path, dice: random.Random) -> Path:
    """Pictures deleted after they were copied."""
    image = folder / "card.img"
    with volume(image, "ntfs") as where:
        (where / "DCIM" / "100CANON").mkdir(parents=True)
        made = [where / "DCIM" / "100CANON" / f"IMG_{number:04d}.JPG" for number in range(90)]
        for path in made:
            path.write_bytes(b"\xff\xd8\xff\xe0" + dice.randbytes(4000))
        os.sync()
        for path in made:
            path.unlink()
    return image


BOOK.innocent("a browser whose oldest cookies outlive its history")(_chrome(25, 20))
