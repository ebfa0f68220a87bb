"""Folding in pieces is folding at once, and every offset leads back."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.keywords.boundaries import breaks_at
from rules.keywords.folding import decode, fold, fold_bytes

CHARACTERS = st.sampled_from(list("aeZ_ .\n0éÉßﬁ½Ａſİıǆ中ไทи\u0301\u0323\u00ad\u200b\ufe0f😀"))
TEXTS = st.tuples(st.integers(1000, 1060), st.text(CHARACTERS, max_size=40), st.integers(0, 1100), st.text(CHARACTERS, max_size=40)).map(
    lambda parts: "e" * parts[0] + parts[1] + "e" * parts[2] + parts[3]
)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_pieces_fold_as_the_whole_and_lead_back(text: str) -> None:
    raw = text.encode()
    folded = fold_bytes(raw)
    assert folded.data == fold(text).encode()
    last = 0
    for offset in range(len(folded.data) + 1):
        if offset == len(folded.data) or folded.data[offset] & 0xC0 != 0x80:
            origin = folded.origin(offset)
            assert last <= origin <= len(raw)
            raw[:origin].decode()  # never inside a character
            last = origin
    for offset in (0, 500, 999):
        assert (folded.origin(offset), folded.origin(offset, end=True)) == (offset, offset)
    assert folded.origin(len(folded.data), end=True) >= len(text.rstrip("\u00ad\u200b\ufe0f\u0301\u0323").encode()) or not folded.data


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2500), st.booleans())
def test_any_bytes_fold_to_valid_text(raw: bytes, binary: bool) -> None:
    folded = fold_bytes(raw, binary=binary)
    folded.data.decode("utf-8")
    for offset in range(0, len(folded.data) + 1, 7):
        assert 0 <= folded.origin(offset) <= len(raw)
        assert 0 <= folded.origin(offset, end=True) <= len(raw)


def test_an_accent_belongs_to_the_letter_before_it_across_pieces() -> None:
    for filler in range(1015, 1030):
        raw = b"x" * filler + "e\u0301".encode() + b"y" * 20
        assert fold_bytes(raw).data == b"x" * filler + "é".encode() + b"y" * 20


def test_stray_bytes_are_windows_1252_in_text_and_nothing_in_binary() -> None:
    assert decode(b"caf\xe9 \xe2\x82\xac") == "café €"
    assert fold_bytes(b"CAF\xe9 \xe2\x82\xac").data == "café €".encode()
    assert fold_bytes(b"CAF\xe9 \xe2\x82\xac", binary=True).data == "caf? €".encode()
    assert decode(b"\x81\x8d") == "\ufffd\ufffd"


def test_word_boundaries() -> None:
    def breaks(before: str, after: str) -> bool:
        data = (before + after).encode()
        return breaks_at(data, len(before.encode()))

    assert [breaks(*pair) for pair in ("ab", "a1", "éa", "aé", "мр", "a\u0301", "कि", "של")] == [False] * 8
    assert [breaks(*pair) for pair in ("a ", "a-", "'a", "a—", "中文", "a中", "中a", "ไท", "”a", "a😀")] == [True] * 10
    assert breaks("", "a") and breaks("a", "")


def test_a_pile_of_marks_is_bounded_in_time() -> None:
    """Unbounded, each of these takes minutes: ordering marks is quadratic in Python."""
    for pile in ("\u0301\u0323" * 100_000, "\u0301" * 100_000 + "\u0323" * 100_000, "\u094d\u093c" * 100_000):
        folded = fold_bytes(("lantern e" + pile + " lantern").encode())
        assert folded.data.startswith(b"lantern ") and folded.data.endswith(b" lantern")
        assert len(folded.data) < 1000
        assert folded.raw[folded.origin(len(folded.data) - 7) :] == b"lantern"
