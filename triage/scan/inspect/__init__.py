"""The checks on files, in a worker: cheap before dear, one read for all of them.

For a batch: read and digest each file; look all digests up in the hash sets at once; what an ``ignore`` set knows is let go; keywords over
the name and the text that the file is or holds; what lies inside it, digested, looked up and checked in the same way; YARA; then the
artefacts whose file this is.

Nothing is imported here: the process that leads a scan reads no file, and needs none of the readers.
"""

UNALLOCATED = "unallocated space"
CARVING = "pictures in unallocated space"
"""What the two searches of space that no file uses are called in coverage."""
