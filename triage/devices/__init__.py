"""The device ledger: every device that a record names, each once, against those that were declared."""
