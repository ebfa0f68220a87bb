"""YARA rules, compiled so that one bad rule costs one rule, and matched on bytes that are in memory already."""

from rules.yara_rules.loader import SHIPPED, load, load_compiled
from rules.yara_rules.rules import YaraHit, YaraRule, YaraRules

__all__ = ["SHIPPED", "YaraHit", "YaraRule", "YaraRules", "load", "load_compiled"]
