"""Every text of the screens that an officer reads, in one place, so that one check can read them all. ASCII only: any console can show it."""

from __future__ import annotations

TITLE = "Device check"
KEYS = "F1 help | Tab next | Shift+Tab back | Enter choose | Ctrl+Q leave"
PROBLEM = "Please put right:"
BACK, NEXT, CLOSE, OK, CANCEL = "Back", "Next", "Close", "Write it down", "Do not write"

STEPS = {
    "begin": "Begin",
    "who": "Step 1 of 6: Who is here",
    "authority": "Step 2 of 6: What allows this check",
    "order": "Step 3 of 6: Devices and conditions",
    "scope": "Step 4 of 6: What to leave out, what to look for",
    "what": "Step 5 of 6: What to check",
    "start": "Step 6 of 6: How long, and start",
    "running": "The check is running",
    "end": "The result",
}

LEAD = {
    "begin": "This tool reads a device and changes nothing on it. It tells you what it found, and what it could not check.",
    "who": "Say who you are. Your name goes into the report.",
    "authority": "Say what allows you to look. Without it this tool does not start.",
    "order": "Name the devices that were declared, and tick what the order asks for. You can leave this empty.",
    "scope": "You can leave this empty. What you name here is kept to.",
    "what": "Tick what to check. The drive that takes the results cannot be ticked.",
    "start": "Choose how long it may take. You can stop it at any time and keep what was found.",
}

BEGIN_NEW = "Start a new check"
BEGIN_OPEN = "Go on: {name}, begun {begun}, {how}"
BEGIN_FILE = "Use a visit file made at the station"
BEGIN_FILE_LABEL = "Visit file"
BEGIN_OPEN_LEAD = "A check was begun and did not end. You can go on with it. What was read is not read again."
BEGIN_CUT_OFF, BEGIN_EARLY = "cut off", "ended early"
BEGIN_LOADED = "The visit file was read. Check each page and change what is not right."

FIELDS = {
    "name": "Your name",
    "number": "Your number",
    "force": "Your force",
    "reference": "Reference of this visit",
    "subject": "Reference of the person",
}

BASES = {
    "order": "Court order",
    "consent": "Consent: the person says yes",
    "warrant": "Warrant",
    "pace": "PACE: the Police and Criminal Evidence Act 1984",
    "licence": "Licence condition",
}
BASIS_NONE = "Choose what allows this check."
BASIS_MEANS = {
    "order": "A court made an order that lets you check devices.",
    "consent": "The person agreed of their own free will. They can take it back at any time. Then stop.",
    "warrant": "A court let you search this place or this device.",
    "pace": "A power under that Act lets you seize or search. Name the section.",
    "licence": "The person is on licence. One of its conditions lets you check devices.",
}
BASIS_FIELDS = {
    "order": {"reference": "Number of the order", "made_by": "Court that made it"},
    "consent": {
        "given_by": "Who said yes",
        "given_at": "Date and time",
        "withdrawal": "How they can take it back",
        "reference": "Where it is written down",
    },
    "warrant": {"reference": "Number of the warrant", "issued_by": "Who issued it"},
    "pace": {"section": "Section of the Act", "reference": "Record number"},
    "licence": {"condition": "Number of the condition", "reference": "Number of the licence"},
}

DEVICES_LABEL = "Declared devices"
DEVICES_HOW = "One on each line: kind, make, model, serial number. Put commas between."
CONDITIONS_LABEL = "What the order asks for"
CONDITIONS_LOADED = "From the visit file:"

USERS_LABEL = "Users to leave out"
USERS_HOW = "The names of their accounts, with commas between. Their folders are not opened."
FROM_LABEL, TO_LABEL = "First day", "Last day"
DATES_HOW = "Write a day as 2026-01-31. What is older or newer is listed and not opened."
WORDS_LABEL = "Words to look for"
WORDS_HOW = "With commas between."

DRIVES_NONE = "No drive was found. Name a folder or an image file below."
DRIVES_LOOKING = "Looking for drives ..."
PATH_LABEL = "Folder or image"
PATH_HOW = "An image is a file that holds a copy of a drive. Put a semicolon between two names."
DRIVE_WORDS = {
    "own": "this computer's own disk",
    "inside": "a disk inside this computer",
    "usb": "USB stick or drive",
    "card": "memory card",
    "disc": "CD or DVD",
    "opened": "an encrypted drive that is open now",
    "drive": "a drive of this computer",
    "network": "a drive on the network",
}
ENCRYPTION_WORDS = {
    "bitlocker": "locked with BitLocker",
    "luks": "locked with LUKS",
    "filevault": "locked with FileVault",
    "open": "encrypted, open now",
    "unknown": "it is not known if it is encrypted",
    "none": "not encrypted as far as can be seen",
}
ENCRYPTION_MEANS = "A locked drive can only be read with its password. The report says that it was not read."
REFUSED = {
    "stick": "takes the results: it cannot be checked",
    "rights": "cannot be read: start again with administrator rights",
    "network": "is somewhere else: it cannot be checked from here",
}

TIMES = {
    "10": "10 minutes: what matters most",
    "20": "20 minutes: all there is, what matters most first",
    "40": "40 minutes: all there is, what matters most first",
    "none": "No limit: all there is, to the end",
}
TIMES_AGAIN = {"10": "10 minutes", "20": "20 minutes", "40": "40 minutes", "none": "No limit"}
BEFORE, AFTER = "what is older than {day}", "what is newer than {day}"
START = "Start"
SUMMARY = "This is what will be done:"
SUMMARY_WHO = "{name} checks {count}. Reference: {reference}."
SUMMARY_BASIS = "Allowed by: {basis}, {reference}."
SUMMARY_LEAVE_OUT = "Left out: {what}."
SUMMARY_CASE = "The results go to {case}."
ONE_THING, MANY_THINGS = "one thing", "{count} things"

PHASES = {
    "": "Getting ready",
    "open": "Opening the drives",
    "walk": "Making a list of all files",
    "read": "Reading files",
    "space": "Looking at free space",
    "unallocated": "Looking for words in space that no file uses",
    "carve": "Looking for pictures in space that no file uses",
    "report": "Writing and sealing the report",
    "done": "Done",
}
LEFT_UNKNOWN = "How long this step takes is not known yet."
LEFT_MINUTES = "About {minutes} minutes left in this step."
LEFT_SECONDS = "About {seconds} seconds left in this step."
LATEST = "It all ends in {minutes} at the latest."
MINUTE, MINUTES = "1 minute", "{count} minutes"
DONE_OF = "{done} of {total} files, {size}"
DONE_FILES = "{done} files"
ALERTS_NONE = "Nothing to tell so far. That does not mean that there is nothing."
ALERTS = "Found so far, {count}:"
ALERTS_MORE = "and {count} more before these"
PAUSE, GO_ON, STOP, NOTE, STATE, SAID = "Pause", "Go on", "Stop and seal", "Note", "Device state", "Said"
PAUSED = "PAUSED. Nothing is being read. The time allowed waits too."
PAUSING = "Coming to a halt ..."
STOPPING = "Coming to an end. What was found is written down and sealed. Please wait."
STOP_ASK = "Stop now? What was found so far is put into the report and sealed. You can go on later."
STOP_YES, STOP_NO = "Stop and seal", "Go on with the check"
LEAVE_ASK = "Leave this tool? What you wrote on these pages is lost. Nothing was checked."
LEAVE_YES, LEAVE_NO = "Leave", "Stay"
NOTED = "Written down: {text}"
NOT_NOTED = "The check has ended. Write this in your notebook."
NOTE_ASK = "What do you want to write down? The time is added."
SAID_WHO = "Who said it"
SAID_WHAT = "The words, as they were said"
STATE_ASK = "How was the device when you first saw it?"
STATES = {
    "on": "On, and in use or open",
    "locked": "On, the screen was locked",
    "asleep": "Asleep",
    "off": "Off",
}
STATE_MORE = "What else you saw"

END_ALOUD = "Read this aloud, so that the body-worn video records it. It shows later that nothing was changed:"
END_FILES = "The case is in this folder:"
END_REPORT = "The full report is report.html. Read it at the station, not on this computer."
END_NOTES = "The case is sealed. From now on, write your notes in your notebook."
END_UNWRITTEN = "The check had ended before this was written. It is not in the case. Write it in your notebook:"
END_FAILED = "The check could not be done:"
END_FAILED_KEPT = "What was found until then is kept in the case folder. Start again to go on with it."
END_WHY = "Why"
END_AGAINST = "What points the other way"
END_ADVICE = "What to do"
END_UNCHECKED = "What was not checked"
END_AMOUNT = "How much was looked at"
END_WHO = "Who, when and what allowed it"
END_MORE = "And {count} more, in the report."
END_ALL = "All that was planned was checked. No tool can see all there is."
END_CLOSE = "Close the tool"

ERRORS = {
    "name": "Write your name.",
    "reference": "Write the reference of this visit.",
    "basis": "Choose what allows this check. Without it this tool does not start.",
    "basis_field": "{label}: this is needed.",
    "nothing": "Tick a drive, or name a folder or an image.",
    "device": "Line {number} of the devices says nothing.",
}

HELP_KEYS = (
    "Tab goes to the next field, Shift+Tab to the one before. Enter or the space bar picks what is marked. The arrow keys move in a list. "
    "You can use the mouse too. F1 opens this help and closes it again. Ctrl+Q leaves the tool."
)
HELP = {
    "begin": (
        "Start a new check, or go on with one that was cut off. A visit file is made at the station. It says who you are, what allows the check and "
        "what the order asks for. Pick it and most pages are filled in.",
    ),
    "who": (
        "Your name and the reference of the visit are needed. Use the reference of your force, so that the report can be found again.",
        "The reference of the person is the number in your system. Do not write the name of the person.",
    ),
    "authority": (
        "The law lets you look at a device only if something allows it. Pick what that is. Then fill in what belongs to it.",
        "If the person says yes and then says no, stop. Press Stop and seal.",
        "PACE is the Police and Criminal Evidence Act 1984.",
    ),
    "order": (
        "A declared device is one that the person told the police about. The report shows the ones that were not declared.",
        "Tick what the order asks for. The report then says for each one what was seen. It says met, concern, or could not tell. "
        "You decide what that means.",
    ),
    "scope": (
        "Name the accounts of people who are not part of this, such as a child. Their folders are not opened.",
        "If only some days matter, name the first and the last. The report says what was left out.",
        "The words are looked for in names, in text and in searches.",
    ),
    "what": (
        "Each line is a drive. It has its name, its size and what kind it is. Tick the ones to check.",
        "BitLocker, LUKS and FileVault are locks on a drive. They turn what is on it into noise. Only the password or a key opens them. "
        "If a drive is open now, do not switch the computer off. Call the High Tech Crime Unit (HTCU).",
        "The drive with the results is left out, since nothing may be written to what is checked.",
    ),
    "start": (
        "With 10 minutes the tool reads what matters most. With more time it reads all there is. What could not be read in time is in the report.",
        "The check can be stopped and gone on with later.",
    ),
    "running": (
        "The top says what is being done and how long it may take. Below it stands what was found. A find is a reason to look further. "
        "It may have an innocent reason. The report names some.",
        "Pause makes the tool wait. Stop and seal ends the check and keeps what was found. Note, Device state and Said write into the "
        "case, with the time. Write down what people say in their own words.",
    ),
    "end": (
        "This is page one of the report. Read the letters and numbers at the end aloud on the body-worn video. They belong to this case only. "
        "If one byte of the case is changed later, they do not fit any more.",
        "The tool advises. You decide.",
    ),
}
