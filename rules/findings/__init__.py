"""Finding rules: data that says which facts matter, why, and what else could explain them."""

from rules.findings.loader import RuleSet, load
from rules.findings.model import Rule

__all__ = ["Rule", "RuleSet", "load"]
