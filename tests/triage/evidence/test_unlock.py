"""Secrets, and the volumes they open."""

from __future__ import annotations

import base64
import json
import pickle
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from triage.evidence import luks1, luks2
from triage.evidence.bytesource import FileBytes
from triage.evidence.encryption import Encryption, detect
from triage.evidence.unlock import Secret, load_secrets, parse_secret, unlock

Unpack = Callable[[str], Path]
RECOVERY = "-".join(["123456"] * 8)


def test_a_secret_never_shows_itself() -> None:
    secret = Secret("password", "open-sesame")
    for shown in (repr(secret), str(secret), f"{secret}", repr([secret]), repr({"a": secret})):
        assert "sesame" not in shown
    with pytest.raises(ValueError, match="one of") as caught:
        Secret("passphrase", "open-sesame")
    assert "sesame" not in str(caught.value)
    assert pickle.loads(pickle.dumps(secret)).value == "open-sesame"  # it must reach the worker that opens the volume


@pytest.mark.parametrize(
    ("line", "kind", "value"),
    [
        ("word", "password", "word"),
        ("  spaces count  \r\n", "password", "  spaces count  "),
        ("password:a:b", "password", "a:b"),
        ("see: this", "password", "see: this"),
        (RECOVERY, "recovery_key", RECOVERY),
        (f" {RECOVERY} ", "recovery_key", RECOVERY),
        ("password:" + RECOVERY, "password", RECOVERY),
        ("recovery_key: ABCD-EFGH ", "recovery_key", "ABCD-EFGH"),
        ("keyfile: /k/ey.bek", "keyfile", "/k/ey.bek"),
    ],
)
def test_one_secret_a_line(line: str, kind: str, value: str) -> None:
    secret = parse_secret(line)
    assert (secret.kind, secret.value) == (kind, value)


def test_a_file_of_secrets(tmp_path: Path) -> None:
    path = tmp_path / "secrets.txt"
    path.write_bytes("\ufeffé one\r\n\r\nkeyfile:key.bin\ntwo".encode())
    assert [(secret.kind, secret.value) for secret in load_secrets(path)] == [
        ("password", "é one"), ("keyfile", str(tmp_path / "key.bin")), ("password", "two"),
    ]  # fmt: skip


@pytest.mark.specimens
def test_luks1_specimen(unpacked: Unpack) -> None:
    data = FileBytes(unpacked("images/dfvfs-encrypted-and-vss/luks1.raw.xz"))
    encryption = detect(data)
    assert encryption == ("luks", "LUKS version 1")
    opened = unlock(data, encryption, [Secret("password", "luksde-TEST")])
    assert opened.data is not None
    assert opened.data.size == 8388608
    assert opened.data.read_at(1080, 2) == b"\x53\xef"  # the ext2 superblock's magic
    assert opened.how == "with a password or key file"
    opened.data.close()
    assert unlock(data, encryption, []).reason == "no password or recovery key was given"


def xts(key: bytes, plain: bytes, sector: int) -> bytes:
    pieces = []
    for place in range(0, len(plain), sector):
        encryptor = Cipher(algorithms.AES(key), modes.XTS((place // 512).to_bytes(16, "little"))).encryptor()
        pieces.append(encryptor.update(plain[place : place + sector]))
    return b"".join(pieces)


KEY = random.Random(99).randbytes(64)


def luks(tmp_path: Path, run_tool: Callable[..., str], plain: bytes, *options: str, offset: int = 16 << 20, sector: int = 512) -> Path:
    """A LUKS volume made by cryptsetup with a volume key that the test knows, so that it can fill in the content."""
    path, key = tmp_path / "luks.raw", tmp_path / "volume.key"
    key.write_bytes(KEY)
    with path.open("wb") as volume:
        volume.truncate(offset + len(plain))
    run_tool(
        "cryptsetup", "luksFormat", "-q", "--cipher", "aes-xts-plain64", "--key-size", "512", "--volume-key-file", key, "--offset", offset // 512,
        *options, path, "-", stdin=b"a secret word",
    )  # fmt: skip
    with path.open("r+b") as volume:
        volume.seek(offset)
        volume.write(xts(KEY, plain, sector))
    return path


PLAIN = random.Random(5).randbytes(1 << 20)
VARIANTS = [
    (["--type", "luks1", "--pbkdf-force-iterations", "1000"], 2 << 20, 512),
    (["--type", "luks2", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--sector-size", "512"], 16 << 20, 512),
    (
        ["--type", "luks2", "--pbkdf", "argon2id", "--pbkdf-force-iterations", "4", "--pbkdf-memory", "1024", "--sector-size", "4096"],
        16 << 20,
        4096,
    ),
    (
        ["--type", "luks2", "--pbkdf", "argon2i", "--pbkdf-force-iterations", "4", "--pbkdf-memory", "1024", "--hash", "sha512"],
        16 << 20,
        4096,
    ),
]


@pytest.mark.tools
@pytest.mark.parametrize(("options", "offset", "sector"), VARIANTS)
def test_luks_made_by_cryptsetup(tmp_path: Path, run_tool: Callable[..., str], options: list[str], offset: int, sector: int) -> None:
    if "luks2" in options and "--sector-size" not in options:
        options = [*options, "--sector-size", "4096"]
    data = FileBytes(luks(tmp_path, run_tool, PLAIN, *options, offset=offset, sector=sector))
    encryption = detect(data)
    assert encryption == ("luks", f"LUKS version {options[1][-1]}")
    opened = unlock(data, encryption, [Secret("recovery_key", "no"), Secret("password", "a secret word")])
    assert opened.data is not None, opened.reason
    assert opened.data.size == len(PLAIN)
    assert opened.data.read_at(0, len(PLAIN)) == PLAIN
    assert opened.data.read_at(4090, 20) == PLAIN[4090:4110]
    assert opened.data.errors == []
    refused = unlock(data, encryption, [Secret("password", "no"), Secret("password", "neither")])
    assert (refused.data, refused.reason) == (None, "none of the 2 secrets given opens it")
    key = tmp_path / "key.bin"
    key.write_bytes(b"a secret word")
    assert unlock(data, encryption, [Secret("keyfile", str(tmp_path / "absent")), Secret("keyfile", str(key))]).data is not None


def qemu_luks(folder: Path, run_tool: Callable[..., str], media: bytes, options: str = "") -> Path:
    """A LUKS1 volume made and filled by qemu-img, which now and then cannot time its own key derivation on a busy machine."""
    (folder / "media").write_bytes(media)
    settings = ",".join(["key-secret=s", "iter-time=100", *filter(None, [options])])
    for attempt in range(6):
        try:
            run_tool(
                "qemu-img", "convert", "-O", "luks", "--object", "secret,id=s,data=a word", "-o", settings, folder / "media", folder / "luks"
            )  # fmt: skip
            break
        except AssertionError as error:
            if attempt == 5 or "CPU usage" not in str(error):
                raise
    return folder / "luks"


@pytest.mark.tools
@pytest.mark.slow
@pytest.mark.parametrize("options", ["", "cipher-alg=aes-128", "cipher-alg=aes-256,cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=sha256"])
def test_luks1_encrypted_by_qemu(tmp_path: Path, run_tool: Callable[..., str], mixed_media: bytes, options: str) -> None:
    """Content that another program encrypted."""
    media = mixed_media[:65536]
    data = FileBytes(qemu_luks(tmp_path, run_tool, media, options))
    encryption = detect(data)
    assert encryption is not None
    opened = unlock(data, encryption, [Secret("password", "a word")])
    assert opened.data is not None, opened.reason
    assert opened.data.size == len(media)
    assert opened.data.read_at(0, len(media)) == media
    assert opened.data.read_at(4090, 5000) == media[4090:9090]


@pytest.mark.tools
@pytest.mark.slow
def test_luks1_by_libluksde(tmp_path: Path, run_tool: Callable[..., str], mixed_media: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is left for ciphers that own code does not do. Reads that cross sectors unaligned are where it gives wrong bytes."""
    media = mixed_media[:65536]
    data = FileBytes(qemu_luks(tmp_path, run_tool, media))
    monkeypatch.setattr(luks1, "can_open", lambda data: False)
    opened = unlock(data, Encryption("luks", "LUKS version 1"), [Secret("password", "a word")])
    assert opened.data is not None, opened.reason
    assert opened.data.read_at(0, len(media)) == media
    assert opened.data.read_at(4090, 5000) == media[4090:9090]
    opened.data.close()


def test_which_luks1_ciphers_are_read_by_own_code(tmp_path: Path) -> None:
    for name, mode, own in ((b"aes", b"xts-plain64", True), (b"aes", b"cbc-essiv:sha256", True), (b"serpent", b"xts-plain64", False)):
        (tmp_path / "luks").write_bytes(b"LUKS\xba\xbe\0\x01" + name.ljust(32, b"\0") + mode.ljust(32, b"\0") + bytes(1000))
        assert luks1.can_open(FileBytes(tmp_path / "luks")) is own


@pytest.mark.tools
def test_luks1_headers_that_lie(tmp_path: Path, run_tool: Callable[..., str]) -> None:
    path = luks(tmp_path, run_tool, PLAIN[:65536], *VARIANTS[0][0], offset=VARIANTS[0][1])
    good = bytearray(path.read_bytes())
    dice = random.Random(6)
    for _ in range(60):
        content = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            place = dice.choice((dice.randrange(6, 208), 208 + dice.randrange(4), 248 + dice.randrange(8)))
            if place not in (164, 165, 166):
                content[place] = dice.randrange(256)
        path.write_bytes(content[: dice.choice((len(content), dice.randrange(7, 5000)))])
        outcome = unlock(FileBytes(path), Encryption("luks", "LUKS version 1"), [Secret("password", "a secret word")])
        assert outcome.data is not None or outcome.reason


@pytest.mark.tools
def test_luks2_by_its_second_header(tmp_path: Path, run_tool: Callable[..., str]) -> None:
    path = luks(tmp_path, run_tool, PLAIN, *VARIANTS[1][0])
    with path.open("r+b") as volume:
        volume.write(bytes(4096))
    data = FileBytes(path)
    encryption = detect(data)
    assert encryption is not None
    assert "second header is at byte 16384" in encryption.detail
    opened = unlock(data, encryption, [Secret("password", "a secret word")])
    assert opened.data is not None, opened.reason
    assert opened.data.read_at(0, 4096) == PLAIN[:4096]


@pytest.mark.tools
def test_a_bad_sector_beneath_luks2_costs_one_sector(tmp_path: Path, run_tool: Callable[..., str]) -> None:
    path = luks(tmp_path, run_tool, PLAIN, *VARIANTS[1][0])
    data = FileBytes(path)
    encryption = detect(data)
    assert encryption is not None
    opened = unlock(data, encryption, [Secret("password", "a secret word")])
    assert opened.data is not None
    read = data._read

    def fails_at_one_place(offset: int, length: int) -> bytes:
        if offset <= (16 << 20) + 8192 < offset + length:
            raise OSError(5, "Input/output error")
        return read(offset, length)

    data._read = fails_at_one_place  # type: ignore[method-assign]
    assert opened.data.read_at(0, 65536) == PLAIN[:8192] + bytes(512) + PLAIN[8704:65536]
    assert [(error.offset, error.length) for error in opened.data.errors] == [(8192, 512)]


@pytest.mark.tools
def test_luks2_headers_that_lie(tmp_path: Path, run_tool: Callable[..., str]) -> None:
    """Any header, re-sealed with a right check sum: never an exception, never work or memory without end."""
    path = luks(tmp_path, run_tool, PLAIN[:65536], *VARIANTS[2][0])
    data = FileBytes(path)
    good = luks2._header(data)
    dice = random.Random(8)
    values = [
        None,
        -1,
        0,
        1,
        2**70,
        "x",
        "",
        [],
        {},
        "aes-cbc-essiv:sha256",
        "sha1",
        "99999999999999999999",
        base64.b64encode(b"s").decode(),
    ]

    def change(node: object) -> None:
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
            if not keys:
                return
            key = dice.choice(keys)
            if isinstance(node[key], dict | list) and node[key] and dice.random() < 0.9:  # type: ignore[index]
                node = node[key]  # type: ignore[index]
                continue
            node[key] = dice.choice(values)  # type: ignore[index]
            return

    opened = 0
    for _ in range(80):
        header = json.loads(json.dumps(good))
        change(header)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(luks2, "_header", lambda _data, header=header: header)
            outcome = unlock(data, Encryption("luks", "LUKS version 2"), [Secret("password", "a secret word")])
        opened += outcome.data is not None
        assert outcome.data is not None or outcome.reason
    assert 0 < opened < 80


@pytest.mark.parametrize(
    ("kind", "signature"), [("bitlocker", b"\xeb\x58\x90-FVE-FS-"), ("luks", b"LUKS\xba\xbe\0\x01"), ("filevault", bytes(88) + b"CS")]
)
def test_a_signature_without_substance_is_refused_with_a_reason(tmp_path: Path, kind: str, signature: bytes) -> None:
    path = tmp_path / "volume"
    path.write_bytes(signature + random.Random(1).randbytes(1 << 18))
    for secrets in ([], [Secret("password", "x"), Secret("recovery_key", RECOVERY), Secret("keyfile", "/nowhere")]):
        outcome = unlock(FileBytes(path), Encryption(kind, ""), secrets)
        assert outcome.data is None
        assert "cannot be" in outcome.reason or "no " in outcome.reason
