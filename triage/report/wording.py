"""The words of the report that are the tool's own, the same in HTML, PDF and on the screen."""

from __future__ import annotations

OUTCOMES = {
    "found": "Grounds to consider seizure",
    "refer": "A specialist should look",
    "nothing_found": "Nothing found in what was checked",
    "not_checked": "Could not be checked",
}
INDICATES = {
    "found": "May be grounds to consider seizure",
    "refer": "For a specialist to look at",
    "note": "Noted, for information",
}
SEVERITIES = {5: "very high", 4: "high", 3: "medium", 2: "low", 1: "very low"}
CONDITIONS = {"met": "Met, as far as checked", "concern": "Concern", "could_not_tell": "Could not tell"}
STATUSES = {
    "parsed": "Read",
    "empty": "Read, and there was nothing in it",
    "missing": "Not there",
    "unreadable": "Could not be read",
    "unrecognised": "Not a form this tool knows",
    "encrypted": "Encrypted, not read",
    "skipped_by_rule": "Left out by a rule",
    "out_of_time": "Not reached, time ran out",
    "failed": "Went wrong while being read",
}
BASES = {
    "order": "Court order",
    "consent": "Consent",
    "warrant": "Warrant",
    "pace": "Police and Criminal Evidence Act 1984",
    "licence": "Licence condition",
}
AUTHORITY = {
    "made_by": "Made by",
    "issued_by": "Issued by",
    "section": "Section of the Act",
    "condition": "Condition",
    "given_by": "Consent given by",
    "given_at": "Consent given at",
    "withdrawal": "Told how to withdraw it",
}
"""What is recorded of a legal basis beside its reference, by key of the visit file."""
NO_VISIT = "No visit file: examined without a recorded legal basis on this page."
DECISION = "This tool advises. The officer decides."
CLOCK = (
    "All times are in UTC. In summer, UK clocks are one hour ahead of UTC. "
    "Times come from the clock of a computer. That clock may have been wrong."
)
SEAL = (
    "The seal covers this page, so this page cannot show the seal. "
    "The short fingerprint of the seal is in the file seal.json. To check the case, run: triage verify CASE"
)
TIMELINE = (
    "The file timeline.csv holds every record that has a time. Of the files on a drive it holds the times of those that a finding names. "
    "Times with no known zone are left out. The export formats jsonl, bodyfile and timesketch hold all files."
)
ALL_CHECKED = "All that was planned was checked. No tool can see all there is."
CONDITIONS_MEAN = "A finding here is an observation that is relevant to a condition. It does not say that the condition was broken."
FINDINGS_MEAN = "The strongest come first in each group. Each is a fact that was read, why it may matter, and how it can be innocent."
DEVICES_MEAN = (
    "Each device that records name stands here once: what was plugged in, paired, backed up or seen on a network. "
    "A device that is not here may exist all the same. One that was never connected leaves no record."
)
DEVICE_LINES = "From the first record of a device to the last. A thick line: not declared, or it cannot be told. A thin line: declared."
ACTIVITY_MEAN = (
    "Records with a time, such as pages opened and programs run, counted by {period} (UTC). "
    "Few records need not mean little use. Records can be deleted or kept off."
)
COVERAGE_MEAN = (
    "Nothing found is not nothing there. This table says what became of each device, volume, kind of record and kind of file. "
    "Gaps come first and have the word “Gap”."
)
NO_COVERAGE = "The journal holds no account of what was checked. Treat this scan as not done."
NO_TOUCH = "The journal records no touch of a live system. Sources were opened for reading only."
AGAIN = (
    "Use the same version with the same rules and the same hash sets on the same source. The findings must be the same, in the same order."
)
CLEANUP_MEAN = (
    "Signs that records or files were removed, taken together by days. The score adds the parts up; more of the same counts for less. "
    "A sign is a fact. It does not say who did it, nor why."
)
GONE_MEAN = (
    "Lists, shortcuts and other records name these files. They were not found on what was examined. Files are deleted and moved every day."
)
SOFTWARE_MEAN = "Programs from the tool's own list that left traces, the gravest first. Most of them are lawful, and many people use them."
