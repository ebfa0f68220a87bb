"""The software catalogue: programs that matter, by the traces they leave; and the joiner that finds these in observations."""

from rules.software.joiner import Hit, Joiner
from rules.software.loader import SHIPPED, Catalogue, load, shipped
from rules.software.model import KINDS, Category, Program, Trace

__all__ = ["KINDS", "SHIPPED", "Catalogue", "Category", "Hit", "Joiner", "Program", "Trace", "load", "shipped"]
