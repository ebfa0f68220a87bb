"""The Sleuth Kit's view of a byte source. Importing this module imports pytsk3."""

from __future__ import annotations

import pytsk3

from triage.evidence.model import ByteSource


class TskImage(pytsk3.Img_Info):  # type: ignore[misc, unused-ignore]
    """A ``pytsk3.Img_Info`` that reads from any byte source; unreadable parts are zeros, as the source gives them.

    It does not own the source: closing the image leaves the source open.
    """

    def __init__(self, data: ByteSource) -> None:
        self._data = data
        super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

    def read(self, offset: int, size: int) -> bytes:
        """``size`` bytes from ``offset``, fewer only at the end."""
        return self._data.read_at(offset, size)

    def get_size(self) -> int:
        """Length in bytes."""
        return self._data.size

    def close(self) -> None:
        """Nothing to let go of."""
