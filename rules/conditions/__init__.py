"""The checks behind the conditions of an order, and what the assessment weighs and advises: words and data, no judgement."""

from rules.conditions.loader import FILES, SHIPPED, Check, ConditionRules, Gap, Weights, load, shipped

__all__ = ["FILES", "SHIPPED", "Check", "ConditionRules", "Gap", "Weights", "load", "shipped"]
