"""Networks and what is on them: hardware addresses and their makers."""
