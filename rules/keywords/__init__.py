"""Keyword libraries, and their hits in names, titles, addresses, typed words and the content of files."""

from rules.keywords.content import Stream
from rules.keywords.explain import Place, explain
from rules.keywords.hits import Capture, Hit, capture, captures
from rules.keywords.library import SHIPPED, Libraries, load
from rules.keywords.matcher import Matcher
from rules.keywords.score import Weight, weigh
from rules.keywords.terms import CATEGORIES, FORMS, NAME_FORMS, PLACES, Near, Term

__all__ = [
    "CATEGORIES", "FORMS", "NAME_FORMS", "PLACES", "SHIPPED", "Capture", "Hit", "Libraries", "Matcher", "Near", "Place", "Stream", "Term", "Weight", "capture", "captures", "explain", "load", "weigh",
]  # fmt: skip
