"""What the person at the keyboard sees."""

from __future__ import annotations

import io
import time

import pytest

from triage.scan.progress import TerminalProgress


def test_alerts_and_time_left_stand_first_and_the_slower_share_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = TerminalProgress()
    try:
        progress._console.file = io.StringIO()
        clock = time.monotonic()
        progress.phase("read", files=100, size=1_000_000)
        progress.alert({"title": "Known file", "path": "/a\u202eb"})
        monkeypatch.setattr(time, "monotonic", lambda: clock + 10)
        progress.update(files=99, size=500_000)  # one large file is left
        detail = progress._bar.tasks[0].fields["detail"]
        assert detail.startswith("1 ALERT  about 10 s left  99 files  500.0 KB  ")
        assert progress._bar.tasks[0].completed == 0.5
        assert "\u202e" not in progress._console.file.getvalue()
    finally:
        progress.close()
