"""What Windows remembers of its use: the registry, and the files that the system keeps beside it."""
