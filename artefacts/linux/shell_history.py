"""Programs named in the histories of shells (bash, zsh, fish), and signs that a history was to be left empty.

Only commands that bear on what this toolkit is for are kept: those that wipe, encrypt, hide, carry off or anonymise, mount or fetch. Which they are is a list of program names
here, because an artefact asks nothing of the rules: the rules judge the names. Arguments may hold passwords; kept are only the files that a wiping command names and the address
that a fetching one does, without user name, password or query.

Times: bash writes ``#seconds`` before a command where HISTTIMEFORMAT is set, zsh ``: seconds:duration;command`` with EXTENDED_HISTORY, fish ``  when: seconds``; all Unix, UTC.

Sources: bash(1), zshoptions(1), fish's history format (src/history.cpp).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from artefacts.coverage import Problem
from artefacts.log_lines import log_lines
from artefacts.observations import Download, FileSeen, LogCleared, Observation, ProgramRun, SystemFact
from artefacts.registry import Artefact, EvidenceFile
from artefacts.times import NOT_RECORDED, Time, from_unix


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WIPES = _words("shred srm wipe scrub sfill sswap sdmem nwipe dban bleachbit secure-delete rmshred bcwipe blkdiscard wipefs")
_FETCHES = _words("wget curl aria2c yt-dlp youtube-dl gallery-dl axel")
_ANONYMISES = _words("torsocks torify proxychains proxychains4")
_RUNS_ANOTHER = _words("sudo doas nohup time nice ionice env command exec firejail")
_OTHERS = _ANONYMISES | _words("""
    cryptsetup veracrypt truecrypt zulucrypt-cli zulumount-cli tcplay gocryptfs encfs ecryptfs-mount-private cryfs gpg gpg2 age openssl 7z 7za
    steghide outguess stegsnow openstego tor torbrowser-launcher nyx anonsurf openvpn wg wg-quick protonvpn nordvpn mullvad expressvpn i2prouter
    macchanger ipfs transmission-cli transmission-remote qbittorrent deluge rtorrent amule mldonkey nicotine rclone megasync mega-put mega-get dropbox
    scp rsync sftp virt-manager virsh virtualbox vboxmanage vmware vmplayer qemu-system-x86_64 docker podman lxc systemd-nspawn multipass
    mount umount udisksctl dd ddrescue mkfs mkfs.ext4 mkfs.ntfs mkfs.vfat mkfs.exfat fdisk parted gparted testdisk photorec foremost extundelete
    diskutil hdiutil tmutil sqlite3 exiftool mat2 chattr setfattr timedatectl hwclock date fdupes adb fastboot idevicebackup2
""")
_KEPT = _WIPES | _FETCHES | _OTHERS
_CLEARS = re.compile(
    r"\bhistory +-[acdw]*c|\bHIST(?:FILE)?SIZE=0\b|\bSAVEHIST=0\b|\bunset +HISTFILE\b|\bHISTFILE=(?:/dev/null|\"\"|''|\s|$)|\bset +\+o +history\b|\bhistory +clear\b|"
    r"(?:\brm\b|\bshred\b|\bsrm\b|\btruncate\b|>|\bln +-s\S* +/dev/null)[^;&|]{0,120}(?:\.bash_history|\.zsh_history|fish_history)\b|\bfish +--private\b"
)
_STAMP = re.compile(r"^#(\d{9,11})$")
_ZSH = re.compile(r"^: (\d{9,11}):\d+;(.*)$")
_SEPARATORS = re.compile(r"\s*(?:;|&&|\|\|?|&)\s*")
_MOST = 20_000
_MOST_FILES = 200  # of one command


@dataclass(frozen=True, slots=True)
class Command:
    """One line of a history: its place, when it was run, and its text."""

    line: int
    time: Time
    text: str


def commands(file: EvidenceFile) -> Iterator[Command | Problem]:
    """The commands of a history, in its order."""
    fish = file.name == "fish_history"
    stamp: Time = NOT_RECORDED
    held: tuple[int, str] | None = None
    for number, line in log_lines(file, 64 << 20):
        if isinstance(line, Problem):
            yield line
        elif fish:
            if line.startswith("- cmd: "):
                if held is not None:
                    yield Command(held[0], NOT_RECORDED, held[1])
                held = (number, line[7:])
            elif line.startswith("  when: ") and held is not None:
                value = line[8:].strip()
                yield Command(held[0], from_unix(int(value)) if value.isdigit() and len(value) < 12 else NOT_RECORDED, held[1])
                held = None
        elif found := _STAMP.match(line):
            stamp = from_unix(int(found[1]))
        elif found := _ZSH.match(line):
            yield Command(number, from_unix(int(found[1])), found[2])
        elif line.strip():
            yield Command(number, stamp, line)
            stamp = NOT_RECORDED
    if held is not None:
        yield Command(held[0], NOT_RECORDED, held[1])


def parse(file: EvidenceFile) -> Iterator[Observation | Problem]:
    """``ProgramRun`` for each listed program (newest time, count), ``FileSeen`` for files named to a wiping command, ``Download`` for addresses fetched,
    ``LogCleared`` where the history itself was emptied or switched off; one ``SystemFact``: how many commands there are."""
    shell = "fish" if file.name == "fish_history" else "zsh" if "zsh" in file.name else "bash" if "bash" in file.name else "shell"
    how = f"{shell} history"
    runs: dict[str, ProgramRun] = {}
    count = kept = dropped = 0
    for item in commands(file):
        if isinstance(item, Problem):
            yield item
            continue
        count += 1
        locator = f"line={item.line}"
        if _CLEARS.search(item.text):
            yield LogCleared(log=how, time=item.time, user=file.user, locator=locator)
        for part in _SEPARATORS.split(item.text[:8192]):
            program, arguments = _program(part)
            if program in _KEPT:
                run = runs.setdefault(program, ProgramRun(program=program, count=0, user=file.user, how=how, locator=locator))
                run.count = (run.count or 0) + 1
                if item.time is not NOT_RECORDED:
                    run.time, run.locator = item.time, locator
            for found in _named(program, arguments, item, how, file.user):
                if (kept := kept + 1) <= _MOST:
                    yield found
                else:
                    dropped += 1
    yield from (runs[name] for name in sorted(runs))
    if dropped:
        yield Problem(f"{dropped} names and addresses more than are kept")
    if count:
        yield SystemFact(name=how, value=f"{count} commands" + (f" of {file.user}" if file.user else ""), locator="line=1")


def _program(part: str) -> tuple[str, list[str]]:
    """The program of a simple command, without its folder, and its arguments; what merely runs another program is passed over."""
    try:
        words = shlex.split(part)
    except ValueError:
        words = part.split()
    while words and (_is_setting(words[0]) or words[0].rsplit("/", 1)[-1] in _RUNS_ANOTHER):
        words = words[1:]
        while words and words[0].startswith("-"):
            words = words[1:]
    return (words[0].rsplit("/", 1)[-1], words[1:]) if words else ("", [])


def _is_setting(word: str) -> bool:
    return "=" in word and not word.startswith(("/", "."))


def _named(program: str, arguments: list[str], item: Command, how: str, user: str | None) -> Iterator[Observation]:
    locator = f"line={item.line}"
    if program in _WIPES:
        for word in arguments[:_MOST_FILES]:
            if not word.startswith("-") and ("/" in word or "." in word):
                yield FileSeen(path=word, used=item.time, how=f"named to {program} ({how})", user=user, locator=locator)
    elif program in _FETCHES:
        for word in arguments[:_MOST_FILES]:
            if found := re.match(r"^(https?|ftp)://(?:[^/@\s]*@)?([^\s?#]{1,2000})", word):
                yield Download(url=f"{found[1]}://{found[2]}", started=item.time, browser=program, user=user, locator=locator)


ARTEFACTS = (
    Artefact(
        id="linux.shell_history",
        title="Shell histories",
        meaning="Programs for wiping, encrypting, hiding, fetching and the like that were typed, and whether the history was switched off.",
        paths=("**/.bash_history", "**/.zsh_history", "**/.zhistory", "**/.sh_history", "**/.ash_history", "**/.local/share/fish/fish_history", "**/.zsh_sessions/*.history"),
        parse=parse,
        references=("https://www.gnu.org/software/bash/manual/html_node/Bash-History-Facilities.html", "https://zsh.sourceforge.io/Doc/Release/Options.html"),
        systems=("linux", "macos"),
        validation="generated; written by bash",
    ),
)  # fmt: skip
