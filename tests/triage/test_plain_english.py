"""What officers read is plain English: rules, conditions, advice, gaps, the report's own words, the visit's screens and the verdict of ``verify``.

Measured by textstat: Flesch reading ease of 55 or more (60 to 70 is plain English, 50 to 60 fairly difficult), and no sentence of more than 27 words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import report_templates
from rules import software
from rules.conditions import shipped
from rules.findings import load
from triage import assessment, conditions, extent
from triage.report import device_page, pdf, wording
from triage.report.verify import Verdict
from triage.visit import words as screens

textstat = pytest.importorskip("textstat", reason="the test extra textstat is not installed")

EASIEST_TO_HARDEST = 55.0
LONGEST_SENTENCE = 27
FEWEST_WORDS = 12
"""Of a text that is measured by itself: of fewer the measure says nothing."""
_PLACE = re.compile(r"\{[^{}]*\}")


def reading_ease(text: str) -> float:
    """Flesch's reading ease: the higher the easier."""
    return float(textstat.flesch_reading_ease(text))


def _own(text: str) -> str:
    """What evidence puts in is not ours; a name stands for each place."""
    return _PLACE.sub("Bob", text)


def _joined(parts: Any) -> str:
    return " ".join(part if part.rstrip().endswith((".", "!", "?", ":")) else f"{part}." for part in parts if part)


def _texts(value: Any) -> Iterator[str]:
    """Every sentence in a constant: texts of two words or more."""
    if isinstance(value, str):
        if " " in value.strip():
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _constants(module: ModuleType) -> Iterator[tuple[str, str]]:
    short = []
    for name, value in vars(module).items():
        text = _joined(_texts(value)) if name.isupper() else ""
        if len(text.split()) >= FEWEST_WORDS:
            yield f"{module.__name__}.{name}", text
        elif text:
            short.append(text)
    if short:
        yield f"{module.__name__}, short texts", _joined(short)


def _templates() -> Iterator[tuple[str, str]]:
    """The sentences that stand in the templates themselves."""
    for path in sorted(Path(report_templates.__file__).parent.glob("*.html.j2")):
        source = re.sub(r"\{#.*?#\}|\{%.*?%\}", " ", path.read_text("utf-8"), flags=re.DOTALL)
        source = re.sub(r"\{\{.*?\}\}", "Bob", source, flags=re.DOTALL)
        blocks = re.findall(r"<(p|li|caption|h2|h3)\b[^>]*>(.*?)</\1>", source, re.DOTALL)
        texts = [" ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split()) for _, text in blocks]
        if text := _joined(text for text in texts if len(text.replace("Bob", "").split()) > 3):
            yield path.name, text


def texts() -> Iterator[tuple[str, str]]:
    for rule in load():
        parts = [rule.explanation, *rule.innocent_explanations]
        parts += [text for item in rule.also for text in (item.say, *item.innocent_explanations) if text]
        yield rule.id, _own(_joined(part for part in parts if not part.startswith("{")))
    yield "titles of findings", _joined(_own(rule.title) for rule in load())
    rules = shipped()
    for check in rules.checks.values():
        yield check.id, _joined((check.title, check.means, check.reads, check.could_hide, check.unproved))
    yield from rules.advice.items()
    yield "gaps", _joined((rules.hides, *dict.fromkeys(text for gap in rules.gaps for text in (gap.hides, gap.say))))
    yield "what points the other way", _joined(sentence for _, sentence in rules.weights.counter.values())
    yield from assessment.HEADLINES.items()
    yield "coverage", _joined(f"Three files {words}" for words in extent.STATUS_WORDS.values())
    for program in software.shipped().programs.values():
        yield f"software {program.id}", _joined((program.what, program.innocent))
    for state in ("intact_known", "intact_unknown", "altered", "unsigned"):
        yield state, _joined(Verdict(state, signer="Bob", signer_reason="no trusted key was given").lines())
    for module in (wording, conditions, device_page, screens):
        yield from ((name, _own(text)) for name, text in _constants(module))
    yield "report.pdf", pdf._ABOUT
    yield from _templates()


@pytest.mark.parametrize(("name", "text"), [pytest.param(name, text, id=name) for name, text in texts()])
def test_plain_english(name: str, text: str) -> None:
    ease = reading_ease(text)
    assert ease >= EASIEST_TO_HARDEST, f"{ease:.0f}: {text}"
    for sentence in re.split(r"(?<=[.!?:])\s", text):
        assert len(sentence.split()) <= LONGEST_SENTENCE, sentence


def test_never_said() -> None:
    for name, text in texts():
        assert not re.search(r"\b(?:breach\w*|guilt\w*|proves|culprit|offender)\b", text, re.IGNORECASE), (name, text)


def test_the_measure_can_fail() -> None:
    assert reading_ease("The cat sat on the mat.") > 100
    assert reading_ease("Organisational considerations necessitate comprehensive evaluation of alternatives.") < 0
    assert len(list(texts())) > 150
