"""Pictures and videos in a scan: what they say of themselves, and whether they look like one of a set.

Nothing of a picture is kept, shown or written anywhere: what leaves this module are facts and distances.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cached_property
from math import ceil, log10
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from artefacts.coverage import Problem, Status
from artefacts.observations import PictureFacts, PictureMatch, VideoFacts
from artefacts.pictures import exif, video
from artefacts.times import NoTime, Time
from triage.evidence.file import user_of
from triage.evidence.model import Entry
from triage.scan.emit import Emitter
from triage.scan.inspect.item import PICTURES, Subject, entry_time
from triage.scan.inspect.recorder import Recorder
from triage.scan.likelihood import Likelihood
from triage.scan.pool import Pulse
from triage.scan.setup import Setup

if TYPE_CHECKING:
    from PIL.Image import Image

    from hashsets.pictures.decode import Decoded
    from hashsets.pictures.hashing import Looks
    from hashsets.pictures.store import PictureNear, PictureSet

FACTS, VIDEOS, LOOKS = "pictures: what they say of themselves", "videos: what they say of themselves", "pictures: by their looks"
"""What the parts are called in coverage."""
LEAST_PIXELS = 32
"""A picture with a side shorter than this is an icon or a spacer: it is not looked up by its looks."""
_OTHERS = (b"GIF8", b"BM", b"FUJIFILM")
_DIFFERS = 16  # of 64 bits of the pHash: a small copy that was only shrunk and framed stays below ten


class PictureCheck:
    """A content check (see ``inspect.checks``) for pictures and videos by their beginning, whatever they are called."""

    name, stage = "pictures", PICTURES

    def __init__(self, setup: Setup, emit: Emitter, recorder: Recorder, pulse: Pulse) -> None:
        self._setup, self._emit, self._recorder, self._pulse = setup, emit, recorder, pulse
        self._likelihood = Likelihood(emit, recorder)

    @cached_property
    def sets(self) -> list[PictureSet]:
        """The alert sets that hold perceptual hashes, open."""
        from hashsets.pictures.store import has_pictures, open_pictures
        from hashsets.store import is_store

        found = []
        for item in self._setup.hash_sets:
            path = Path(item.path)
            if is_store(path) and has_pictures(path):
                found.append(open_pictures(path, bytes.fromhex(item.key) if item.key else None))
        return [one for one in found if one.role == "alert"]

    def warm(self) -> None:
        """See ``ContentCheck.warm``."""
        if self.sets:
            from hashsets.pictures.decode import formats

            formats()

    def wants(self, head: bytes) -> bool:
        """Whether a content that begins like this is a picture or a video."""
        return exif.kind_of(head) is not None or video.kind_of(head) is not None or head.startswith(_OTHERS)

    def content(self, subject: Subject) -> None:
        """See ``ContentCheck.content``: ``PictureFacts`` or ``VideoFacts``, and ``PictureMatch``."""
        if not self.wants(subject.head):
            return
        if video.kind_of(subject.head) is not None:
            self._facts(subject, VIDEOS, video.VIDEO.parser, None)
            return
        looked = self._looked(subject) if self.sets else None
        if exif.kind_of(subject.head) is not None:
            self._facts(subject, FACTS, exif.EXIF.parser, self._thumbnail(subject, *looked) if looked else None)
        if looked is not None:
            self._look_up(subject, *looked)
        self._likelihood.look(subject, self._stream)

    def _stream(self, subject: Subject) -> BinaryIO:
        return io.BytesIO(subject.data) if subject.data is not None else subject.open()

    def _facts(self, subject: Subject, what: str, parser: str, thumbnail: str | None) -> None:
        read: Iterator[PictureFacts | VideoFacts | Problem]
        told = False
        try:
            with self._stream(subject) as stream:
                read = video.facts(stream) if what is VIDEOS else exif.facts(stream)
                for found in read:
                    told = True
                    if isinstance(found, Problem):
                        self._emit.problem(what, found.status, subject.path, found.reason, size=subject.size)
                        continue
                    self._tell_facts(subject, found, parser, thumbnail)
        except OSError as error:
            self._emit.problem(what, Status.UNREADABLE, subject.path, str(error) or "the content could not be opened", size=subject.size)
            return
        except Exception as error:
            self._emit.problem(what, Status.FAILED, subject.path, f"{type(error).__name__}: {error}", size=subject.size)
            return
        self._emit.count(what, Status.PARSED if told else Status.EMPTY, size=subject.size)

    def _tell_facts(self, subject: Subject, found: PictureFacts | VideoFacts, parser: str, thumbnail: str | None) -> None:
        found.path, found.locator, found.recovered = subject.path, subject.locator, subject.recovered
        found.inside = subject.inside.chain if subject.inside is not None else None
        found.user = user_of(subject.entry.path)
        if isinstance(found, PictureFacts):
            found.thumbnail = thumbnail
        self._recorder.observe(found, parser, subject.entry)

    def _looked(self, subject: Subject) -> tuple[Decoded, Looks] | None:
        """The picture decoded, and its hashes in frequencies; None, and why is told, where it gives none."""
        from hashsets.pictures.decode import NotDecoded, decode
        from hashsets.pictures.hashing import looks

        try:
            with self._stream(subject) as stream:
                decoded = decode(stream)
            self._pulse.beat()
            if min(decoded.width, decoded.height) < LEAST_PIXELS:
                self._emit.count(LOOKS, Status.SKIPPED, f"smaller than {LEAST_PIXELS} pixels: icons and spacers", size=subject.size)
                return None
            return decoded, looks(decoded.luminance, decoded.size)
        except NotDecoded as error:
            status = Status.SKIPPED if error.limit else Status.UNRECOGNISED if error.unknown else Status.FAILED
            self._emit.problem(LOOKS, status, subject.path, str(error), size=subject.size)
        except MemoryError:
            self._emit.problem(LOOKS, Status.FAILED, subject.path, "needs more memory than there is", size=subject.size)
        except OSError as error:
            self._emit.problem(LOOKS, Status.UNREADABLE, subject.path, str(error) or "the content could not be opened", size=subject.size)
        return None

    def _look_up(self, subject: Subject, decoded: Decoded, found: Looks) -> None:
        from hashsets import HashSetError
        from hashsets.pictures.hashing import dhash_orientations, orientations
        from hashsets.pictures.store import LEAST_QUALITY

        if found.quality < LEAST_QUALITY:
            self._emit.count(LOOKS, Status.SKIPPED, "too little in the picture to recognise it by", size=subject.size)
            return
        hashes = {algorithm: orientations(found, algorithm) for algorithm in ("pdq", "phash")}
        if any("dhash" in one.counts for one in self.sets):
            hashes["dhash"] = dhash_orientations(decoded.luminance)
        for one in self.sets:
            try:
                near = one.nearest(hashes)
            except HashSetError as error:
                self._emit.count(f"hash set {one.name}", Status.FAILED, str(error), size=subject.size)
                continue
            if near is not None:
                self._recorder.observe(self._match(subject, decoded, found.quality, one, near), "picture_match/1", subject.entry)
            self._pulse.beat()
        self._emit.count(LOOKS, Status.PARSED, size=subject.size)

    def _match(self, subject: Subject, decoded: Decoded, quality: int, found_in: PictureSet, near: PictureNear) -> PictureMatch:
        entry, inside = subject.entry, subject.inside
        return PictureMatch(
            path=subject.path,
            algorithm=near.algorithm,
            distance=near.distance,
            threshold=near.threshold,
            quality=quality,
            set_name=found_in.name,
            set_version=found_in.version,
            reference=near.name,
            orientation=near.orientation,
            entries=near.entries,
            odds=odds(near.chance),
            size=subject.size,
            width=decoded.width,
            height=decoded.height,
            allocated=entry.allocated,
            time=_time(entry),
            inside=inside.chain if inside is not None else None,
            reached=inside.how if inside is not None else None,
            offset=inside.offset if inside is not None else None,
            outer_size=entry.size if inside is not None and entry.path else None,
            locator=subject.locator,
            recovered=subject.recovered,
        )

    def _thumbnail(self, subject: Subject, decoded: Decoded, found: Looks) -> str | None:
        """Whether the small copy inside a JPEG looks like the picture: ``same`` or ``differs``; None where there is none."""
        from hashsets.pictures.decode import NotDecoded, decode

        small = exif.thumbnail(subject.data) if subject.data is not None and exif.kind_of(subject.head) == "jpeg" else None
        if small is None:
            return None
        try:
            copy = decode(io.BytesIO(small)).luminance
        except (NotDecoded, MemoryError):
            return None
        return "differs" if thumbnail_distance(found, decoded.size, copy) > _DIFFERS else "same"


def thumbnail_distance(found: Looks, size: tuple[int, int], copy: Image) -> int:
    """In how many bits of the pHash a small copy differs from its picture of ``size``: as it is turned nearest, and without the bars beside it."""
    import numpy as np

    from hashsets.pictures.hashing import looks, orientations

    wide, high = copy.size
    nearest = 64
    for shape in {size[0] / size[1], size[1] / size[0], wide / high}:
        # A picture of another shape than its copy stands there between bars.
        inner = (wide, round(wide / shape)) if shape > wide / high else (round(high * shape), high)
        left, top = (wide - inner[0]) // 2, (high - inner[1]) // 2
        if min(inner) >= 8:
            part = looks(copy.crop((left, top, left + inner[0], top + inner[1])))
            different = np.bitwise_count(orientations(part, "phash") ^ orientations(found, "phash")[0])
            nearest = min(nearest, int(different.min()))
    return nearest


def odds(chance: float) -> str:
    """An expectation of chance matches in words, never better than it is."""
    if chance <= 0:
        return "less than 1 in 10^300"
    power = -ceil(log10(chance))
    return f"1 in 10^{power}" if power >= 1 else "more than 1 in 10"


def _time(entry: Entry) -> Time:
    return entry_time(entry, entry.modified) if entry.path else NoTime("in no file")
