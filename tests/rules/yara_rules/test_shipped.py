"""The shipped rules fire on the real thing, or on what its format description says, and on nothing ordinary."""

from __future__ import annotations

import base64
import gzip
import io
import lzma
import random
import shutil
import sqlite3
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest

from rules import yara_rules
from rules.yara_rules import YaraRules


@pytest.fixture(scope="module")
def rules() -> YaraRules:
    loaded = yara_rules.load([yara_rules.SHIPPED])
    assert (loaded.problems, loaded.warnings) == ([], [])
    return loaded


def names(rules: YaraRules, data: bytes, name: str = "file.bin") -> list[str]:
    return [hit.rule for hit in rules.match(data, filename=name, filepath="/" + name, extension=name.rpartition(".")[2].lower())]


def test_every_rule_says_what_it_is(rules: YaraRules) -> None:
    for rule in rules.compiled:
        assert set(rule.meta) == {"description", "severity", "category", "innocent"}, rule.identifier
        assert 1 <= rule.meta["severity"] <= 5
        assert rule.meta["category"] in {"encryption", "anonymisers", "p2p", "wiping", "steganography", "disguise"}


def database() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t (a)")
    return connection.serialize()


def program(product: str) -> bytes:
    """The smallest PE file with a version resource (PE format; VS_VERSIONINFO) that names ``product``."""

    def block(key: str, value: bytes, text: bool, *children: bytes) -> bytes:
        head = key.encode("utf-16-le") + b"\0\0"
        head += bytes(-(6 + len(head)) % 4)
        body = value + bytes(-len(value) % 4 if children else 0) + b"".join(child + bytes(-len(child) % 4) for child in children)
        return struct.pack("<HHH", 6 + len(head) + len(body), len(value) // (2 if text else 1), int(text)) + head + body

    string = block("ProductName", (product + "\0").encode("utf-16-le"), True)
    fixed = struct.pack("<13I", 0xFEEF04BD, 0x10000, *[0] * 11)
    version = block("VS_VERSION_INFO", fixed, False, block("StringFileInfo", b"", True, block("040904b0", b"", True, string)))

    def directory(entry: int, offset: int) -> bytes:
        return struct.pack("<IIHHHH", 0, 0, 0, 0, 0, 1) + struct.pack("<II", entry, offset)

    base = 0x1000
    resources = (
        directory(16, 0x80000018)
        + directory(1, 0x80000030)
        + directory(0x409, 0x48)
        + struct.pack("<IIII", base + 0x58, len(version), 0, 0)
        + version
    )
    dos = b"MZ" + bytes(58) + struct.pack("<I", 64)
    header = b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 1, 0, 0, 0, 224, 0x102)
    optional = struct.pack("<HBBIIIIII", 0x10B, 0, 0, 0, 0, 0, 0, base, base) + struct.pack("<III", 0x400000, 0x1000, 0x200)
    optional += bytes(16) + struct.pack("<IIII", 0x2000, 0x200, 0, 2) + bytes(20) + struct.pack("<I", 16)
    optional += bytes(16) + struct.pack("<II", base, len(resources)) + bytes(104)
    section = (
        b".rsrc\0\0\0"
        + struct.pack("<IIII", len(resources), base, -(-len(resources) // 512) * 512, 0x200)
        + bytes(12)
        + struct.pack("<I", 0x40000040)
    )
    return (dos + header + optional + section).ljust(0x200, b"\0") + resources.ljust(-(-len(resources) // 512) * 512, b"\0")


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a.txt", "text")
    return out.getvalue()


ONION = "".join(f"http://{letter * 55}d.onion/\n" for letter in "abcdefg")
BASE64 = base64.b64encode(bytes(48)).decode()
POSITIVE = {
    "luks_volume": b"LUKS\xba\xbe\x00\x01" + bytes(600),
    "bitlocker_volume": b"\xeb\x58\x90-FVE-FS-" + bytes(499) + b"\x55\xaa",
    "keepass_database": bytes.fromhex("03d9a29a67fb4bb5") + bytes(100),
    "veracrypt_settings": b'<?xml version="1.0" encoding="utf-8"?>\n<VeraCrypt>\n\t<history>\n\t\t<volume>D:\\a.hc</volume>\n\t</history>\n</VeraCrypt>',
    "cryptomator_vault": b'{"version":999,"scryptSalt":"x","scryptCostParam":32768,"primaryMasterKey":"x","hmacMasterKey":"x"}',
    "gocryptfs_vault": b'{\n\t"Creator": "gocryptfs",\n\t"EncryptedKey": "x",\n\t"ScryptObject": {}\n}',
    "encfs_vault": b'<?xml version="1.0"?>\n<boost_serialization><cfg><saltData>x</saltData><encodedKeyData>x</encodedKeyData></cfg>',
    "aes_crypt_file": b"AES\x02\x00\x00\x1bCREATED_BY\x00some program\x00" + bytes(100),
    "age_file": b"age-encryption.org/v1\n-> X25519 abc\n",
    "openpgp_message": f"-----BEGIN PGP MESSAGE-----\nVersion: 2\n\n{BASE64}\n".encode(),
    "rar_encrypted_names": bytes.fromhex("526172211a070100") + bytes(4) + b"\x21\x04" + bytes(40),
    "sevenzip_encrypted_names": bytes.fromhex("377abcaf271c0004")
    + bytes(4)
    + struct.pack("<QQ", 8, 12)
    + bytes(4)
    + bytes(8)
    + bytes.fromhex("2406f10701"),
    "tor_state_file": b"# Tor state file last generated on 2026-01-01 00:00:00 local time\n",
    "tor_consensus": b"network-status-version 3 microdesc\nvote-status consensus\n",
    "tor_hidden_service_settings": b"SocksPort 9050\nHiddenServiceDir /var/lib/x/\nHiddenServicePort 80 127.0.0.1:80\n",
    "onion_address_list": ONION.encode(),
    "torrent_file": b"d8:announce20:http://tracker.test/4:infod6:lengthi5e4:name5:a.txt12:piece lengthi16384e6:pieces20:"
    + bytes(20)
    + b"ee",
    "qbittorrent_resume": b"d11:qBt-ratioLimiti-2e12:qBt-savePath6:/x/y/ze",
    "utorrent_resume": b"d10:.fileguard40:" + b"0" * 40 + b"e",
    "transmission_resume": b"d13:activity-datei1700000000e11:destination4:/x/ye",
    "ares_shared_files": b"__ARESDB1.02H_" + bytes(100),
    "archive_behind_picture": b"\xff\xd8\xff\xe0" + bytes(50) + b"\xff\xd9" + archive(),
    "encryption_program": program("VeraCrypt"),
    "wiping_program": program("BleachBit"),
    "anonymising_program": program("Tor Browser"),
    "hiding_program": program("OpenStego"),
    "sharing_program": program("qBittorrent"),
}


@pytest.mark.parametrize("rule", POSITIVE)
def test_fires_on_its_format_and_nothing_else_does(rules: YaraRules, rule: str) -> None:
    assert names(rules, POSITIVE[rule]) == [rule]


def test_every_rule_has_its_positive(rules: YaraRules) -> None:
    elsewhere = {"zip_encrypted", "office_encrypted", "database_called_something_else", "archive_called_something_else"}
    here = {rule.identifier for rule in rules.compiled if not rule.identifier.startswith("linux_")}  # test_linux_programs.py has those
    assert here == set(POSITIVE) | elsewhere


def test_names_and_contents_that_disagree(rules: YaraRules) -> None:
    assert names(rules, database(), "holiday.JPG") == ["database_called_something_else"]
    assert names(rules, database(), "history.sqlite") == []
    assert names(rules, bytes.fromhex("526172211a070100") + bytes(64), "song.mp3") == ["archive_called_something_else"]
    assert names(rules, bytes.fromhex("526172211a070100") + bytes(64), "song.rar") == []


ORDINARY = {
    "an archive without a password": archive(),
    "a text about PGP": f"Send it like this:\n-----BEGIN PGP MESSAGE-----\n\n{BASE64}\n".encode(),
    "settings with everything commented out": b"#HiddenServiceDir /var/lib/tor/x/\n#HiddenServicePort 80 127.0.0.1:80\n",
    "one onion address": ONION[:75].encode(),
    "a page about VeraCrypt": b"<html><title>VeraCrypt</title><history> <VeraCrypt>",
    "another program": program("Notepad"),
    "a program called almost so": program("Eraserhead Player"),
    "a picture": b"\xff\xd8\xff\xe0" + bytes(500) + b"\xff\xd9",
    "zeros": bytes(4096),
    "nothing": b"",
}


@pytest.mark.parametrize("what", ORDINARY)
def test_silent_on_ordinary_content(rules: YaraRules, what: str) -> None:
    assert names(rules, ORDINARY[what]) == []


def test_silent_on_random_content_and_survives_damage(rules: YaraRules) -> None:
    generator = random.Random(11)
    for _ in range(200):
        assert names(rules, generator.randbytes(generator.randrange(2000))) == []
    for data in POSITIVE.values():
        for _ in range(10):
            damaged = bytearray(data[: generator.randrange(len(data) + 1)])
            for _ in range(3):
                if damaged:
                    damaged[generator.randrange(len(damaged))] = generator.randrange(256)
            names(rules, bytes(damaged))


@pytest.mark.tools
@pytest.mark.parametrize(
    ("rule", "command"),
    [
        ("luks_volume", ["cryptsetup", "luksFormat", "--type", "luks1", "--pbkdf-force-iterations", "1000", "-q", "out", "key"]),
        (
            "luks_volume",
            ["cryptsetup", "luksFormat", "--type", "luks2", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "-q", "out", "key"],
        ),
        (
            "openpgp_message",
            ["gpg", "--homedir", ".", "--batch", "--passphrase", "x", "--pinentry-mode", "loopback", "-o", "out", "-c", "key"],
        ),
        (
            "openpgp_message",
            ["gpg", "--homedir", ".", "--batch", "--passphrase", "x", "--pinentry-mode", "loopback", "-a", "-o", "out", "-c", "key"],
        ),
        ("zip_encrypted", ["zip", "-q", "-P", "x", "out", "key"]),
        ("sevenzip_encrypted_names", ["7z", "a", "-px", "-mhe=on", "out", "key"]),
    ],
)
def test_fires_on_what_the_real_program_makes(rules: YaraRules, tmp_path: Path, rule: str, command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    (tmp_path / "key").write_bytes(b"harmless text\n" * 20)
    tmp_path.chmod(0o700)
    if command[0] == "cryptsetup":
        (tmp_path / "out").write_bytes(bytes(20 << 20))
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    made = next(path for path in (tmp_path / "out", tmp_path / "out.zip", tmp_path / "out.7z") if path.exists())
    assert names(rules, made.read_bytes()) == [rule]


@pytest.mark.specimens
def test_the_specimens(rules: YaraRules, specimens: Path) -> None:
    """Over a thousand real files: these five and no other."""
    found = []
    for path in sorted(specimens.rglob("*")):
        if path.is_file() and path.stat().st_size < 30 << 20:
            data = path.read_bytes()
            try:
                data = {".xz": lzma.decompress, ".gz": gzip.decompress}.get(path.suffix, bytes)(data)
            except (OSError, EOFError, lzma.LZMAError):
                pass
            found += [(path.relative_to(specimens).as_posix(), hit) for hit in names(rules, data, path.name)]
    assert found == [
        ("documents/iped/test_cryptoDoc.docx", "office_encrypted"),
        ("images/dfvfs-encrypted-and-vss/luks1.raw.xz", "luks_volume"),
        ("mixed/iped-apps/test_resume.dat", "utorrent_resume"),
        ("mixed/plaso-apps/bencode/transmission", "transmission_resume"),
        ("mixed/plaso-apps/bencode/utorrent", "utorrent_resume"),
    ]


@pytest.mark.slow
def test_silent_on_the_documentation_of_debian(rules: YaraRules) -> None:
    folder = Path("/usr/share/doc")
    if not folder.is_dir():
        pytest.skip("no /usr/share/doc here")
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert [(path, hits) for path in files if (hits := names(rules, path.read_bytes(), path.name))] == []
