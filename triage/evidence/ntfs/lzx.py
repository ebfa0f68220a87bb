"""LZX as WIM archives and compressed Windows files use it: chunks of at most 32 KiB, each on its own.

Only for chunks that libfwnt refuses: it takes a tree of match lengths without any code for damage, which chunks without long matches have.

Source: Microsoft, "LZX data compression format" (MS-PATCH) and the notes of wimlib on what WIM does otherwise: sizes of blocks in one bit or 16, windows
of 32 KiB, calls (E8) always translated for a file of 12,000,000 bytes.
"""

from __future__ import annotations

_VERBATIM, _ALIGNED, _STORED = 1, 2, 3
_SLOTS = 30
_MAIN, _LENGTHS, _PRETREE = 256 + 8 * _SLOTS, 249, 20
_LONGEST_CODE = 16
_BLOCK = 32_768
_CALL_SIZE = 12_000_000
_EXTRA = [0, 0, 0, 0, *(slot // 2 - 1 for slot in range(4, _SLOTS))]
_BASE = [-2]
for _bits in _EXTRA[:-1]:
    _BASE.append(_BASE[-1] + (1 << _bits))


class Damaged(ValueError):
    """The chunk cannot be decompressed."""


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._held, self._count = data, 0, 0, 0

    def _need(self, count: int) -> None:
        while self._count < count:
            # The last code may reach beyond the end: what is not there reads as zeros, but not for ever.
            if self._at > len(self._data) + 8:
                raise Damaged("it ends too early")
            self._held = self._held << 16 | int.from_bytes(self._data[self._at : self._at + 2], "little")
            self._at, self._count = self._at + 2, self._count + 16

    def take(self, count: int) -> int:
        if not count:
            return 0
        self._need(count)
        self._count -= count
        value = self._held >> self._count
        self._held &= (1 << self._count) - 1
        return value

    def symbol(self, tree: dict[tuple[int, int], int]) -> int:
        code = 0
        for length in range(1, _LONGEST_CODE + 1):
            code = code << 1 | self.take(1)
            found = tree.get((length, code))
            if found is not None:
                return found
        raise Damaged("a code that stands for nothing")

    def stored(self, count: int) -> bytes:
        """``count`` bytes as they are."""
        data = self._data[self._at : self._at + count]
        if len(data) < count:
            raise Damaged("it ends too early")
        self._at += count
        return data

    def align(self) -> None:
        """On to the next 16 bits; a block of stored bytes leaves at least one bit behind."""
        if not self._count:
            self._need(1)
        self._held = self._count = 0

    def even(self) -> None:
        self._at += self._at & 1


def _tree(lengths: list[int]) -> dict[tuple[int, int], int]:
    """(length, code) to symbol, of the canonical code with these lengths."""
    tree: dict[tuple[int, int], int] = {}
    code = 0
    for length in range(1, _LONGEST_CODE + 1):
        code <<= 1
        for symbol, wanted in enumerate(lengths):
            if wanted == length:
                tree[length, code] = symbol
                code += 1
        if code > 1 << length:
            raise Damaged("more codes than there can be")
    return tree


def _read_lengths(bits: _Bits, lengths: list[int], start: int, stop: int) -> None:
    pretree = _tree([bits.take(4) for _ in range(_PRETREE)])
    at = start
    while at < stop:
        symbol = bits.symbol(pretree)
        if symbol < 17:
            run, value = 1, (lengths[at] - symbol) % 17
        elif symbol == 17:
            run, value = 4 + bits.take(4), 0
        elif symbol == 18:
            run, value = 20 + bits.take(5), 0
        else:
            run = 4 + bits.take(1)
            value = (lengths[at] - bits.symbol(pretree)) % 17
        run = min(run, stop - at)
        lengths[at : at + run] = [value] * run
        at += run


def decompress(data: bytes, size: int) -> bytes:
    """The ``size`` bytes (at most 32 KiB) in the chunk ``data``. Raises ``Damaged``."""
    bits, out = _Bits(data), bytearray()
    main, lengths, recent = [0] * _MAIN, [0] * _LENGTHS, [1, 1, 1]
    while len(out) < size:
        kind = bits.take(3)
        block = _BLOCK if bits.take(1) else bits.take(16)
        if kind not in (_VERBATIM, _ALIGNED, _STORED) or not block:
            raise Damaged("a block of no known kind")
        stop = min(len(out) + block, size)
        if kind == _STORED:
            bits.align()
            recent = [int.from_bytes(bits.stored(4), "little") for _ in range(3)]
            out += bits.stored(stop - len(out))
            bits.even()
            continue
        aligned = _tree([bits.take(3) for _ in range(8)]) if kind == _ALIGNED else {}
        _read_lengths(bits, main, 0, 256)
        _read_lengths(bits, main, 256, _MAIN)
        _read_lengths(bits, lengths, 0, _LENGTHS)
        _block(bits, out, stop, (_tree(main), _tree(lengths), aligned), recent)
    return _calls_undone(out)


def _block(bits: _Bits, out: bytearray, stop: int, trees: tuple[dict[tuple[int, int], int], ...], recent: list[int]) -> None:
    main, lengths, aligned = trees
    while len(out) < stop:
        symbol = bits.symbol(main)
        if symbol < 256:
            out.append(symbol)
            continue
        slot, length = (symbol - 256) >> 3, (symbol - 256) & 7
        if length == 7:
            length += bits.symbol(lengths)
        length += 2
        if slot < 3:
            distance = recent[slot]
            recent[slot], recent[0] = recent[0], distance
        else:
            extra = _EXTRA[slot]
            rest = (bits.take(extra - 3) << 3) + bits.symbol(aligned) if aligned and extra >= 3 else bits.take(extra)
            distance = _BASE[slot] + rest
            recent[:] = [distance, recent[0], recent[1]]
        if not 0 < distance <= len(out) or len(out) + length > stop:
            raise Damaged("a match outside the chunk")
        if distance >= length:
            out += out[-distance : len(out) - distance + length]
        else:
            piece = bytes(out[-distance:])
            out += (piece * (length // distance + 1))[:length]


def _calls_undone(out: bytearray) -> bytes:
    at = 0
    while (at := out.find(0xE8, at, max(len(out) - 10, 0))) >= 0:
        absolute = int.from_bytes(out[at + 1 : at + 5], "little", signed=True)
        if -at <= absolute < _CALL_SIZE:
            relative = absolute - at if absolute >= 0 else absolute + _CALL_SIZE
            out[at + 1 : at + 5] = (relative & 0xFFFFFFFF).to_bytes(4, "little")
        at += 5
    return bytes(out)
