"""The pages of the guided visit, one a file."""
