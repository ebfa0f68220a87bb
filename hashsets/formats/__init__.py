"""Readers of the formats in which hash lists are handed over: one module a format, each streaming, none holding a whole list."""
