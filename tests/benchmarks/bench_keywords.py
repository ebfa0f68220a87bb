"""Keywords: 5,000 terms, word-bounded, case-blind, over mixed text in UTF-8, UTF-16 and Windows-1252, against yara-python on the same terms.

``--large`` takes 256 MB of text, otherwise 64 MB. The corpus is the machine's own documentation with the terms sown into it, seven parts
in ten UTF-8, two UTF-16, one Windows-1252. Ours and yara's take turns; each is single-threaded and counted in processor time, so that a
busy machine does not decide. One of our figures is for names of 60 characters, which are matched for every file of a disk.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

TITLE = "keywords, 5,000 terms"
TERMS = 5000
ROUNDS = 3
NAMES = 20_000
DOCUMENT = 1 << 18
SHORT = ("tor", "gun", "ice", "pot", "hash", "race", "shred", "wipe", "vault", "onion", "proxy", "knife", "blade", "crypt", "relay")
PLACES = ("/usr/share/doc", "/usr/share/perl", "/usr/lib/python3", "/usr/include")


def make_terms(count: int, generator: random.Random) -> list[str]:
    """Invented pronounceable words and two-word phrases, and some short real words that stand inside many others."""
    consonants, vowels = "bcdfghjklmnprstvwz", "aeiou"

    def word(length: int) -> str:
        return "".join(generator.choice(vowels if at % 2 else consonants) for at in range(length))

    terms = set(SHORT[:count])
    while len(terms) < count:
        terms.add(
            word(generator.randint(5, 12))
            if generator.random() < 0.85
            else f"{word(generator.randint(4, 7))} {word(generator.randint(4, 8))}"
        )
    return sorted(terms)


def make_documents(size: int, terms: list[str], generator: random.Random) -> tuple[list[bytes], int]:
    """Documents of about 256 KiB, ``size`` bytes in all, and how many terms were sown into them."""
    files = [
        path
        for place in PLACES
        for path in Path(place).rglob("*")
        if path.suffix in ("", ".txt", ".html", ".md", ".pod", ".h", ".py", ".pm")
    ]
    files = [path for path in files if path.is_file() and not path.is_symlink()]
    generator.shuffle(files)
    pieces = []
    for path in files:
        data = path.read_bytes()
        if b"\0" not in data:
            pieces.append(data.decode("utf-8", "replace"))
    long = [term for term in terms if term not in SHORT]
    documents: list[bytes] = []
    total = sown = at = 0
    while total < size:
        text, length = [], 0
        while length < DOCUMENT:
            piece = pieces[at % len(pieces)]
            start = generator.randrange(max(1, len(piece) - 20_000))
            term = generator.choice(long)
            text += [piece[start : start + 20_000], "\n", generator.choice([term, term.upper(), term.title()]), "\n"]
            length += min(20_000, len(piece))
            sown += 1
            at += 1
        encoding = generator.choices(["utf-8", "utf-16-le", "cp1252"], [7, 2, 1])[0]
        documents.append((b"\xff\xfe" if encoding == "utf-16-le" else b"") + "".join(text).encode(encoding, "replace"))
        total += len(documents[-1])
    return documents, sown


def _cpu(work: Any) -> tuple[float, Any]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def _hits(matcher: Any, documents: list[bytes]) -> int:
    return sum(1 + hit.repeats for data in documents for hit in matcher.in_bytes(data))


def main(arguments: list[str]) -> dict[str, Any]:
    """Measure; MB/s of text, seconds of start-up, microseconds a name."""
    import yara

    from rules import keywords

    generator = random.Random(20261121)
    terms = make_terms(TERMS, generator)
    documents, sown = make_documents((256 if "--large" in arguments else 64) * 1_000_000, terms, generator)
    megabytes = sum(map(len, documents)) / 1e6
    seconds: dict[str, Any] = {}
    figures: dict[str, Any] = {"megabytes": round(megabytes), "terms sown": sown}
    engines = ("hyperscan", "ahocorasick")
    matchers = {}
    with tempfile.TemporaryDirectory(prefix="bench-keywords-") as name:
        library = Path(name) / "terms.csv"
        rows = [f"{term},bench,1,{'phrase' if ' ' in term else 'word'}\n" for term in terms]
        library.write_text("term,category,severity,form\n" + "".join(rows))
        for engine in engines:
            for kept in ("no database kept", "database kept"):
                spent, matchers[engine] = _cpu(lambda engine=engine: keywords.load([library]).matcher(engine, Path(name)))
                seconds[f"{engine}: start, {kept}"] = round(spent, 2)
    source = "\n".join(f'rule r{n} {{ strings: $a = "{term}" nocase ascii wide fullword condition: $a }}' for n, term in enumerate(terms))
    spent, rules = _cpu(lambda: yara.compile(source=source))
    seconds["yara: start"] = round(spent, 2)

    rates: dict[str, list[float]] = {"hyperscan": [], "ahocorasick": [], "yara": []}
    for _ in range(ROUNDS):
        for engine in engines:
            spent, hits = _cpu(lambda engine=engine: _hits(matchers[engine], documents))
            rates[engine].append(megabytes / spent)
            figures[f"{engine}: hits"] = hits
        spent, figures["yara: rules matched"] = _cpu(lambda: sum(len(rules.match(data=data)) for data in documents))
        rates["yara"].append(megabytes / spent)
    for engine, values in rates.items():
        figures[f"{engine}: MB/s"] = round(statistics.median(values))
    names = [f"/Users/somebody/Pictures/Holiday {number:04}/IMG_2026_{number:05}_x.jpg"[-60:] for number in range(NAMES)]
    for engine in engines:
        spent, _ = _cpu(lambda engine=engine: sum(len(matchers[engine].in_text(name, "name")) for name in names))
        figures[f"{engine}: microseconds a name"] = round(spent / NAMES * 1e6, 2)
    ratios = {f"{engine} / yara": round(figures[f"{engine}: MB/s"] / figures["yara: MB/s"], 2) for engine in engines}
    return {"title": TITLE, "seconds": seconds, "figures": figures, "ratios": ratios}
