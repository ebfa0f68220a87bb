"""Likely nudity: a line where the part is absent, a score and never a category where it is there, counts by folder and month."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, BinaryIO

import pytest

from artefacts.coverage import Problem
from artefacts.observations import PictureLikelihood
from tests.drawn import encoded, picture
from triage.evidence.model import Entry
from triage.reasoning.picture_likelihood import PictureLikelihoods
from triage.scan import likelihood
from triage.scan.conclude import Context, Drawn
from triage.scan.inspect.item import Subject


class _Told:
    """Stands for what a worker tells, and for the recorder."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.observed: list[Any] = []

    def count(self, what: str, status: Any, reason: str = "", *, size: int = 0, times: int = 1) -> None:
        assert what == likelihood.WHAT
        self.lines.append((status.value, reason))

    def observe(self, item: Any, parser: str, entry: Entry) -> None:
        self.observed.append(item)


def _look(score: float | None, data: bytes, monkeypatch: pytest.MonkeyPatch) -> _Told:
    class Model:
        def classify(self, image: Any) -> Any:
            assert image.mode == "RGB"
            return type("Prediction", (), {"nsfw": score})()

    monkeypatch.setattr(likelihood, "find_spec", lambda name: None if score is None else object())
    monkeypatch.setattr(likelihood.Likelihood, "_model", Model())
    told = _Told()
    entry = Entry("/Users/sam/a.jpg", "file", len(data), "5", modified=1_777_623_748 * 10**9)

    def opened(subject: Subject) -> BinaryIO:
        return io.BytesIO(data)

    opener: Callable[[], BinaryIO] = lambda: io.BytesIO(data)  # noqa: E731
    likelihood.Likelihood(told, told).look(Subject(entry, entry.path, "a.jpg", "5", len(data), data[:64], data, opener), opened)  # type: ignore[arg-type]
    return told


def test_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _look(None, encoded(picture(1)), monkeypatch)
    assert told.lines == [("skipped_by_rule", "the optional part for it is not installed")]
    assert told.observed == []


def test_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _look(0.79, encoded(picture(1)), monkeypatch)
    assert (told.lines, told.observed) == ([("parsed", "")], [])
    (found,) = _look(0.8, encoded(picture(1)), monkeypatch).observed
    assert (found.path, found.score, found.threshold, found.user) == ("/Users/sam/a.jpg", 0.8, 0.8, "sam")
    assert _look(0.9, encoded(picture(1, (120, 400))), monkeypatch).lines == [("skipped_by_rule", "smaller than 128 pixels")]
    assert _look(0.9, encoded(picture(1))[:900], monkeypatch).lines == [("failed", "pictures that could not be decoded")]


def test_counts_in_any_order() -> None:
    def score(path: str, value: float, month: str) -> dict[str, Any]:
        where = {"source": "s1", "volume": "v1", "path": path}
        return {"score": value, "threshold": 0.8, "time": f"{month}-03T00:00:00Z", "provenance": where}

    scores = [score("/a/1", 0.9, "2026-05"), score("/a/2", 0.95, "2026-05"), score("/a/3", 0.85, "2026-06"), score("/b/1", 0.8, "2026-05")]
    for order in (scores, scores[::-1]):
        conclusion = PictureLikelihoods(Context())
        for one in order:
            conclusion.feed(one)
        drawn = [one.observation for one in conclusion.conclude() if isinstance(one, Drawn) and not isinstance(one, Problem)]
        assert drawn == [
            PictureLikelihood(folder="/a", month="2026-05", likely=2, highest=0.95, threshold=0.8),
            PictureLikelihood(folder="/a", month="2026-06", likely=1, highest=0.85, threshold=0.8),
            PictureLikelihood(folder="/b", month="2026-05", likely=1, highest=0.8, threshold=0.8),
        ]
