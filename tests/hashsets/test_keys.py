from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from hashsets.errors import Damaged, HashSetError, WrongKey
from hashsets.keys import Keyer, _Cmac, load_key, new_keyer

SECRET = b"a secret of the unit"


@pytest.mark.parametrize("width", [16, 20])
def test_tags_are_aes_cmac(width: int) -> None:
    messages = np.random.default_rng(1).integers(0, 256, (50, width), dtype=np.uint8)
    for number in range(4):  # so that both ways of doubling a subkey occur
        key = bytes([number]) * 32
        wanted = []
        for message in messages:
            one = CMAC(AES(key))
            one.update(message.tobytes())
            wanted.append(one.finalize())
        assert [tag.tobytes() for tag in _Cmac(key).of(messages)] == wanted


def test_the_same_digest_has_another_tag_in_another_set_and_for_another_algorithm() -> None:
    digest = np.arange(20, dtype=np.uint8).reshape(1, 20)
    a, b = new_keyer(SECRET)[0], new_keyer(SECRET)[0]
    tags = {a.tags("sha1", digest).tobytes(), a.tags("sha256", digest).tobytes(), b.tags("sha1", digest).tobytes()}
    assert len(tags) == 3


def test_the_parameters_open_with_the_same_secret_only() -> None:
    keyer, parameters = new_keyer(SECRET)
    digest = np.arange(16, dtype=np.uint8).reshape(1, 16)
    assert (Keyer(SECRET, parameters).tags("md5", digest) == keyer.tags("md5", digest)).all()
    with pytest.raises(WrongKey):
        Keyer(SECRET + b".", parameters)


@pytest.mark.parametrize(
    "change", [{"n": 1 << 30}, {"n": 3}, {"n": 0}, {"r": 1 << 20}, {"p": 0}, {"salt": "00"}, {"salt": "zz"}, {"n": "x"}, {"n": None}]
)
def test_absurd_parameters_are_refused_before_they_cost_anything(change: dict[str, object]) -> None:
    with pytest.raises(Damaged):
        Keyer(SECRET, {**new_keyer(SECRET)[1], **change})


def test_kind_and_size_under_the_mask() -> None:
    keyer, _ = new_keyer(SECRET)
    tags = np.random.default_rng(2).integers(0, 256, (100, 16), dtype=np.uint8)
    kinds, sizes = np.arange(100, dtype=np.uint8), np.arange(100, dtype=np.int64) - 2
    kind_mask, size_mask = keyer.mask(tags)
    hidden_kinds, hidden_sizes = kinds ^ kind_mask.astype(np.uint8), sizes ^ size_mask
    shown = keyer.reveal(tags, hidden_kinds, hidden_sizes, 0)
    assert (shown[0] == kinds).all()
    assert (shown[1] == sizes).all()
    assert len(set((hidden_sizes ^ sizes).tolist())) == 100


def test_sealed_text() -> None:
    keyer, _ = new_keyer(SECRET)
    sealed = keyer.seal(b"names")
    assert b"names" not in sealed
    assert keyer.unseal(sealed) == b"names"
    with pytest.raises(Damaged):
        keyer.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(Damaged):
        keyer.unseal(b"")


def test_load_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(SECRET + b"\r\n")
    assert load_key(path) == SECRET
    assert load_key("e\u0301clair au chocolat") == "éclair au chocolat".encode()
    path.write_bytes(b"short\n")
    with pytest.raises(HashSetError, match="12 to 4096 bytes; it has 5"):
        load_key(path)
    path.write_bytes(bytes(5000))
    with pytest.raises(HashSetError):
        load_key(path)
    with pytest.raises(OSError, match="missing"):
        load_key(tmp_path / "missing")
