"""What officers read is plain English: the words of the shipped rules, the advice, the assessment and the verdict of ``verify``."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from rules.conditions import shipped
from rules.findings import load
from triage import assessment
from triage.report.verify import Verdict

EASIEST_TO_HARDEST = 55.0  # Flesch reading ease: 60 to 70 is plain English, 50 to 60 fairly difficult


def syllables(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word.lower()))
    silent = re.search(r"(?:[^laeiouy]e|[^dt]ed)$", word.lower()) is not None
    return max(1, groups - silent)


def reading_ease(text: str) -> float:
    words = re.findall(r"[A-Za-z]+(?:['’][a-z]+)?", text)
    sentences = max(1, len(re.findall(r"[.:;!?](?=\s|$)", text)))
    return 206.835 - 1.015 * len(words) / sentences - 84.6 * sum(map(syllables, words)) / len(words)


def texts() -> Iterator[tuple[str, str]]:
    for rule in load():
        # Words that evidence puts in are not ours; a name stands for each.
        parts = [rule.explanation, *rule.innocent_explanations]
        parts += [text for item in rule.also for text in (item.say, *item.innocent_explanations) if text]
        yield rule.id, re.sub(r"\{[^}]*\}", "Bob", " ".join(part for part in parts if not part.startswith("{")))
    for check in shipped().checks.values():
        yield check.id, f"{check.means} {check.unproved}"
    yield from shipped().advice.items()
    yield from assessment.HEADLINES.items()
    for state in ("intact_known", "intact_unknown", "altered", "unsigned"):
        yield state, " ".join(Verdict(state, signer="Bob", signer_reason="no trusted key was given").lines())


@pytest.mark.parametrize(("name", "text"), [pytest.param(name, text, id=name) for name, text in texts()])
def test_plain_english(name: str, text: str) -> None:
    assert reading_ease(text) >= EASIEST_TO_HARDEST, f"{reading_ease(text):.0f}: {text}"
    for sentence in re.split(r"(?<=[.!?])\s", text):
        assert len(sentence.split()) <= 27, sentence


def test_the_measure_can_fail() -> None:
    assert reading_ease("The cat sat on the mat.") > 100
    assert reading_ease("Organisational considerations necessitate comprehensive evaluation of alternatives.") < 0
