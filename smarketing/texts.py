"""Every code that a message may carry: its title, what it means, what to do about it.

The message itself says where and what; this says what is behind it, for somebody who reads it at eight in the morning.
`python -m smarketing.texts` makes docs/codes.md of it. A code that is used and not told here fails a test, and so does
one that is told and never used.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """`meaning`: what has happened, and what it spares or costs; `cure`: what to do."""

    title: str
    meaning: str
    cure: str


KINDS: Mapping[str, str] = {
    "SM1": "Configuration and mapping files",
    "SM2": "The database, runs and plans",
    "SM3": "Systems",
    "SM9": "This machine, and our own faults",
}
"""What the first digit of a code says."""

CODES: Mapping[str, Entry] = {
    # --- configuration -------------------------------------------------------------------------------------------
    "SM100": Entry(
        "the command was not understood",
        "A command, an option or a value on the command line is not known, or something that is needed is missing. "
        "Nothing was done.",
        'Look at "smarketing --help", or at the help of the one command, as in "smarketing check --help". Global '
        "options such as --config stand before the command.",
    ),
    "SM101": Entry(
        "the file is not there, or cannot be read",
        "No configuration was found: the one named with --config, the one in the variable SMARKETING_CONFIG, "
        "smarketing.yaml in the working folder and the one in your user folder are looked for, in this order. Or a "
        "file that is named is there and this user may not read it.",
        'Make a configuration with "smarketing init", go to the folder where yours lies, or name it with --config. '
        "If the file is there, give the user that runs Smarketing the right to read it.",
    ),
    "SM102": Entry(
        "the file is no YAML that can be understood",
        "The form of the file is broken: its indentation, a quote or bracket that is not closed, a name that stands "
        "twice, tabs, an encoding other than UTF-8. What is not understood is never guessed at.",
        "Go to the line and column that are told; the cause is often one line above. Indent with spaces, quote values "
        'that hold ": " or begin with a special sign, and save the file as UTF-8.',
    ),
    "SM103": Entry(
        "a name is not known here",
        "A key stands in a place where nothing of that name can be set. Mostly it is a slip of the pen or stands at "
        "the wrong indentation. Unknown keys are refused, since a setting that silently does nothing is worse.",
        "Take the name that the message suggests, move the line to where it belongs, or take it out. An editor that "
        "reads the schema in the first line of the file completes the names while you type.",
    ),
    "SM104": Entry(
        "a value is not accepted",
        "The key is known, but what stands behind it is of the wrong kind, outside what is allowed, or contradicts "
        "another line. A number that would lose a leading zero counts as well, since 0150 is a postcode to you and 150 "
        "to YAML.",
        "Write what the message allows. Texts that look like numbers go in quotes; times have a unit, as in 5m or 24h; "
        'shares are written as "5%".',
    ),
    "SM105": Entry(
        "something that is needed is missing",
        "A key that has no default is not there, such as a system's token or a sheet's path; or no system is named at "
        "all, so that there is nothing to do.",
        'Add the line. For a secret write "${NAME}" and put the value into the environment or into .env, or point to '
        "it with file:PATH or keyring:SERVICE/USER.",
    ),
    "SM106": Entry(
        "a variable is not set",
        "The file says ${NAME}, and there is no such variable in the environment, nor in the file .env beside the "
        "configuration; or what begins with ${ is no variable at all.",
        "Set the variable, or write ${NAME:-default}. A service often starts with another environment than your "
        "terminal: put the value into .env then. For the two characters themselves write $${.",
    ),
    "SM107": Entry(
        "a secret cannot be had",
        "The value is a secret that is kept elsewhere, in a file or in the keyring of this machine, and it could not "
        "be read there, or is empty. The secret itself is never shown.",
        "Look at what the message says about the file or keyring entry: path, right to read, name. Paths are relative "
        "to the configuration. On a server without a keyring use file:PATH or an environment variable.",
    ),
    "SM108": Entry(
        "a name stands for nothing",
        "The name of a system, a connector, a field of the lead or a type is used, and there is none of that name.",
        "Take the name that the message suggests. Systems are called as they are under systems: in the configuration; "
        "fields of your own must be listed under lead: fields: first.",
    ),
    "SM109": Entry(
        "a line of .env cannot be understood",
        "The file .env beside the configuration holds NAME=value, a line each, and this line is none. The others are "
        "read, but nothing runs until it is put right, since the missing one may be a secret.",
        "Write NAME=value, or put # in front. A value with blanks or # in it needs quotes.",
    ),
    "SM110": Entry(
        "a file is in the way",
        "The command would write a file that is there already. A file of yours is never overwritten.",
        "Move the file away or name another one. To add a system, edit the configuration that is there: "
        '"smarketing schema" tells what may stand in it.',
    ),
    "SM111": Entry(
        "there is no such code",
        "Codes are SM and three digits. This one is in no message of this version.",
        'Run "smarketing explain" without a code to see all there are. If a message of a newer version carried it, ask '
        "that version.",
    ),
    "SM112": Entry(
        "nobody is there to answer",
        "The command needs to know something, and it runs where it cannot ask: without a terminal, or with --no-input.",
        "Give the answer as an option. The message names it.",
    ),
    # --- mapping files -------------------------------------------------------------------------------------------
    "SM120": Entry(
        "a system has no mapping",
        "The connector brings no mapping of its own, and the configuration names none. Without one nobody can tell "
        "which of its fields mean what.",
        "Write a mapping file and name it under the system's mapping:.",
    ),
    "SM121": Entry(
        "the mapping names a field that the lead does not have",
        "The left side of a line is no field of the lead, or takes out a line that is not there.",
        "Take the name that the message suggests. For a field of your own add it under lead: fields: in the "
        "configuration first; consent is written consent.CHANNEL or consent.CHANNEL.PURPOSE.",
    ),
    "SM122": Entry(
        "the transform does not fit",
        "What stands behind as: is not known, or does not make the kind of value that this field of the lead holds.",
        "Take one of the transforms that the message names, or leave as: out where the usual one will do.",
    ),
    "SM123": Entry(
        "a name is not known in a mapping file",
        "A key stands in a mapping line, an object, an example or at the top of the file, where nothing of that name "
        "can be set.",
        "Take the name that the message suggests or look at the indentation.",
    ),
    "SM124": Entry(
        "a mapping line cannot be understood",
        "A value in a mapping file is of the wrong kind or outside what is allowed.",
        "Write what the message allows. Native names that look like numbers go in quotes.",
    ),
    "SM125": Entry(
        "a field is mapped twice",
        "Two lines claim one field. A change over there belongs to one group of the lead only, and a field is written "
        "once, so it must be clear which line does it.",
        "Take one of the two lines out, or give one of them direction: in if both are to read.",
    ),
    "SM126": Entry(
        "an option stands for something that is no value of the field",
        "Under options: a native value is given a meaning that the lead's field cannot have, such as a lifecycle stage "
        "that does not exist.",
        "Take a value that the message names.",
    ),
    "SM127": Entry(
        "there is no such object",
        "An object of a system is named (contact, Lead, row) that its mapping does not have.",
        "Take one that the message names.",
    ),
    "SM128": Entry(
        "an example does not hold",
        "Examples stand beside the lines of a mapping and are its tests. What this one says is not what the lines do.",
        "Read what it says and what came of it, and put right the one that is wrong. Examples of a built-in mapping no "
        "longer count once you change a line of it.",
    ),
    "SM129": Entry(
        "a mapping is hardly meant so",
        "The mapping can be used, but something about it looks like an oversight: opt-outs that are told in one "
        "direction only, an address that two records of a person would share, stages without a word over there.",
        "Follow the message, or leave it if it is meant. It is no error and stops nothing.",
    ),
    "SM141": Entry(
        "the system does not have a field that the mapping names",
        "The field is not there in the live account, or our user does not see it: the two look the same from outside. "
        "It is an error where the field is needed to know a person, to create one, or to hear of opt-outs.",
        "Make the field visible to the user or app that Smarketing acts as, correct its name, or take the line out "
        'with "name: null" in a mapping of your own. "smarketing fields SYSTEM" lists what is there.',
    ),
    "SM142": Entry(
        "a field is read-only over there",
        "The mapping writes a field that the system computes by itself or does not let our user change. Each write "
        "would be refused.",
        "Write direction: in on that line, or give the user the right to edit the field.",
    ),
    "SM143": Entry(
        "the kinds of field do not go together",
        "The field over there is of a kind that does not hold what the transform writes, as a date in a number field.",
        "Choose another transform with as:, or another field.",
    ),
    "SM144": Entry(
        "the lengths differ",
        "The field over there takes more or fewer characters than the mapping says. A longer value would be refused.",
        "Write the length that the message tells on that line. Texts are then cut to fit, and anything that must not "
        "be cut waits for a person.",
    ),
    "SM145": Entry(
        "the choices differ",
        "The options of a field over there are not those that the mapping names. Records with a value that has no "
        "meaning wait for a person, in that field alone.",
        "Name the option in the mapping under options: and say what it means, or add the missing one over there.",
    ),
    "SM146": Entry(
        "the system wants a field that nothing fills",
        "A field is required over there. Without a value no record can be created.",
        "Map it and write required: true, with a filler if people may lack it; or let it be empty over there.",
    ),
    # --- the database, runs, plans -------------------------------------------------------------------------------
    "SM210": Entry(
        "the database",
        "How the database is found: whether it opens, and at which version its tables stand.",
        "Nothing, where it says ok. A database that is not there yet is made by the first run.",
    ),
    "SM211": Entry(
        "the database belongs to another version",
        "Its tables were made by another version of Smarketing. A newer program brings older tables up to date by "
        "itself; an older program leaves newer ones alone, so that it cannot spoil them.",
        "Use the newest version everywhere. End programs of the older one before the newer one runs.",
    ),
    "SM212": Entry(
        "the database may forget what it confirmed",
        "PostgreSQL is set up with synchronous_commit off. After a power cut it could forget that something was sent, "
        "and it would be sent twice.",
        "Set synchronous_commit to on for this database.",
    ),
    "SM213": Entry(
        "the database is locked",
        "Another program has the database open and did not let go in time.",
        "End the other program: another Smarketing, a database browser, a backup that copies the file. Then run the "
        "command again.",
    ),
    "SM214": Entry(
        "the disk of the database is full",
        "There was no room to write: on the disk, or within what this user's files may grow to. What had been written "
        "stands, and nothing is half done.",
        "Make room on that disk, or raise the limit (ulimit -f), and run the command again: it goes on where it was.",
    ),
    "SM215": Entry(
        "the database cannot be opened",
        "The file is not where it should be, its folder is not there, this user may not write to it, or it is no "
        "database.",
        "Check the address under database: in the configuration and the rights of the file and its folder: both must "
        "be writable, since a journal lies beside it.",
    ),
    "SM216": Entry(
        "the database does not answer",
        "No connection to the database server was made.",
        "Check that it runs, that its address, port, name and password under database: are right, and that this "
        "machine may reach it.",
    ),
    "SM217": Entry(
        "the database refused",
        "The database would not do what it was asked, for a reason that we have no advice for. The transaction was "
        "taken back.",
        "Look at the log of the database. If it says nothing that helps, report it with the message.",
    ),
    "SM220": Entry(
        "another run is at work",
        "One process at a time speaks to a system, and another one does so now. A dead one is found out and its place "
        "taken.",
        "Wait until it is done, or end it. If it runs on another machine that is gone for good, its claim ends by "
        "itself after two minutes.",
    ),
    "SM230": Entry(
        "the plan cannot be kept there",
        "The place that was named for the plan is no place for it: a folder that is not there, or a file that is "
        "something else. Nothing of yours is overwritten but an older plan.",
        "Name another file, or make the folder.",
    ),
    "SM231": Entry(
        "there is no plan",
        "The file is not there, or it is something else than a plan.",
        'Make a plan with "smarketing plan --out FILE", look at it, and give that file.',
    ),
    "SM232": Entry(
        "the plan has another format",
        "The plan was made by another version of Smarketing, which writes it in another form.",
        "Make the plan anew with this version.",
    ),
    "SM233": Entry(
        "the plan is not as it was made",
        "The file was cut short, or somebody edited it. What is approved must be exactly what was planned, so it is "
        "not carried out.",
        "Make a new plan. To leave something out of it, change the configuration or the record and plan again.",
    ),
    "SM234": Entry(
        "the plan belongs to another installation",
        "It was made with another database than the one that this configuration names.",
        "Use the configuration that the plan was made with, or make a plan here.",
    ),
    "SM235": Entry(
        "the plan is not remembered",
        "The database knows no such plan: it was put back from an older backup, or made anew.",
        "Make a new plan.",
    ),
    "SM236": Entry(
        "the mappings have changed since the plan",
        "The plan was made by other mapping files than those in use now. Sending it would take the new ones for "
        "approved, though nobody has seen what follows from them.",
        'Make a plan anew with "smarketing plan --out FILE" and look through it.',
    ),
    "SM237": Entry(
        "there is no such lead",
        "What was given names no lead: no number that exists, and no record that belongs to one.",
        'Find it with "smarketing leads search", or name it by a record, as in SYSTEM ID.',
    ),
    "SM239": Entry(
        "a first plan waits for approval",
        "Before anything is sent to a system for the first time a person must have looked at the plan. Everything was "
        "read, and nothing was sent.",
        'Look with "smarketing plan --out FILE", then carry out exactly that with "smarketing sync --plan FILE".',
    ),
    "SM240": Entry(
        "the run was refused by a limit",
        "More would be changed, created or removed than is usual in a day. That is what an accident looks like, so "
        "nothing of that kind was sent; everything else was.",
        'Look at what it is with "smarketing plan --out FILE". If it is meant, carry it out with '
        '"smarketing sync --plan FILE"; if it often is, raise the limit under sync: limits:.',
    ),
    "SM241": Entry(
        "operations wait for a person",
        "Some changes were not sent, since a person has to approve them first.",
        'Look with "smarketing plan --out FILE", then "smarketing sync --plan FILE".',
    ),
    "SM242": Entry(
        "parts of the plan no longer apply",
        "Something changed since the plan was made, so that some of its changes would now be others; or the same plan "
        "was sent before. Only what is exactly as planned, and not there yet, was sent.",
        "Make a new plan if you want the rest.",
    ),
    "SM243": Entry(
        "the lead cannot be edited so",
        "The field is not known, the value is none of its kind, or no system here could be told. Nothing was changed.",
        "Write FIELD=VALUE, as the message says.",
    ),
    "SM244": Entry(
        "there are no questions of that kind",
        "Questions for people are of a few kinds, and this is none of them.",
        "Take one that the message names.",
    ),
    "SM245": Entry(
        "the question cannot be answered so",
        "There is no such question, it is answered already, or it does not have this answer. Nothing was changed.",
        'Look at the question with "smarketing review list".',
    ),
    "SM246": Entry(
        "the question is another one by now",
        "What it was about changed after it was shown. It is open again, with what holds now, and nothing was done.",
        "Look at it again and decide anew.",
    ),
    "SM247": Entry(
        "what others changed is held back",
        "Over there more values of one field were changed or emptied in a day than is usual, or more records vanished. "
        "That is what lost rights and failed imports look like, so it was not taken in; everything else was.",
        'Answer the question: "smarketing review list --kind inbound" shows it.',
    ),
    "SM248": Entry(
        "the leads cannot be joined or split so",
        "They are one already, were never joined, were merged in one of the systems, which no vendor takes back, or "
        "something is being sent to them just now. Nothing was done.",
        'Look at both with "smarketing leads show". If something is being sent, wait for the next run.',
    ),
    "SM249": Entry(
        "this move cannot be made",
        "The systems that are named cannot be moved so: none is named, one would move into itself, or nobody may be "
        "made in the target. Nothing was done.",
        "Name the systems as they stand in the configuration. To let people be made in the target, set writes: all "
        "under it.",
    ),
    "SM250": Entry(
        "the run cannot be taken back",
        "There is no such run, it changed nothing, or it is one that cannot be taken back.",
        'Run "smarketing undo" without a number to see which can.',
    ),
    "SM251": Entry(
        "the number does not fit",
        "A dangerous act wants to be told how many it will touch, and that number is not right, or no longer. Nothing "
        "was done.",
        "Look at what would be done once more, and confirm with the number that is told.",
    ),
    "SM253": Entry(
        "a reason is needed",
        "To take back opt-outs means to mail people who had said no. It is done only for a reason, which is kept.",
        "Say why with --why. If the opt-outs were right, leave them.",
    ),
    "SM254": Entry(
        "some records could not be moved",
        "Their people should be in the target and are not: a value was refused, something is missing, an answer did "
        "not come, or a question waits for a person. Everybody else was moved.",
        "Answer the questions of the review queue, and run the same move again: it goes on with what is left.",
    ),
    "SM260": Entry(
        "systems differ and nothing explains it",
        "An independent reading found records that do not show what their lead says, and nothing accounts for it: "
        "nothing waits, nothing was refused or cut, and nobody changed them as far as their times tell. Either a value "
        "was spoilt over there without a trace, or something here is wrong. Nothing was written and nothing taken in.",
        'Hold each record against its lead with "smarketing leads show". Where the record is wrong, put the value '
        "right over there by hand; where it is right, save it over there once more, so that its time moves and the "
        "next run takes it in. If there are many, look for a restore or an import over there, and report what you "
        "cannot explain. What you can live with is set under verify: unexplained.",
    ),
    "SM261": Entry(
        "another process was at work while systems were verified",
        "Verifying waits for nobody. What the other process read or wrote meanwhile may show as a difference that is "
        "in flight or unread, and its requests count against the same quota.",
        "Nothing, if the figures suit you. For exact ones verify while nothing runs.",
    ),
    # --- systems -------------------------------------------------------------------------------------------------
    "SM300": Entry(
        "something went wrong with a system",
        "A system answered in a way that fits none of the other codes.",
        'Read the message, then run "smarketing check SYSTEM".',
    ),
    "SM301": Entry(
        "the system cannot do it now",
        "It is busy, in trouble, not to be reached, or wants us to come again later. Nothing of the request took "
        "effect, and it is sent again by itself.",
        "Nothing, at first. If it lasts, look at the vendor's status page and at the network of this machine. Where "
        "the message names an address that refuses connections or cannot be reached, check base_url.",
    ),
    "SM302": Entry(
        "one record cannot be handled",
        "A single record is in a state that its system will not work with. It waits for a person, and all others go "
        "on.",
        "Look at the record over there; the message says what is wrong with it.",
    ),
    "SM303": Entry(
        "a system needs a person",
        "Something about the set-up of a system is not right, and trying again will not help. This system rests, the "
        "others go on.",
        'Do what the message says, then run "smarketing check SYSTEM".',
    ),
    "SM304": Entry(
        "nobody knows whether a write took effect",
        "A request left and its answer never came. It is not sent again blindly: once the system must be done with it, "
        "the record is looked up to see what became of it.",
        "Nothing: it is cleared up by one of the next runs. Where no key of ours is over there, it may end as a "
        'question for a person; "smarketing check" offers to add the key.',
    ),
    "SM305": Entry(
        "an answer points to another address",
        "The system wanted to send us on to another host. That is refused, since our credentials would go there too.",
        "Check base_url. If the account has moved, write its new address there.",
    ),
    "SM306": Entry(
        "an answer is not whole",
        "What came was no complete answer: an error page, a sign-in page of a network, half a document. Nothing of it "
        "was used.",
        "Nothing, at first: it is tried again. If it lasts, look whether a proxy or firewall stands in between, and "
        "check base_url.",
    ),
    "SM307": Entry(
        "the credentials were refused",
        "The system does not accept the token or the client id and secret: they are wrong, expired or revoked. This "
        "system rests, the others go on.",
        "Make a new token over there, put it where the configuration points, and run "
        '"smarketing check SYSTEM". "smarketing config show" tells where each value comes from.',
    ),
    "SM308": Entry(
        "the system does not allow it",
        "The credentials are good, but the user or app we act as lacks a right, a scope or a feature.",
        "Give it the right that the message names, over there. Some systems want a new token afterwards.",
    ),
    "SM309": Entry(
        "the place up to which a system was read is lost",
        "What was saved of the last reading cannot be understood, or the system does not take it any more. Everything "
        "of that kind is read anew, which takes longer and misses nothing.",
        "Nothing.",
    ),
    "SM310": Entry(
        "today's requests are used up",
        "The system counts requests by the day, over all programs together, and either all of them or our share is "
        "used. Nothing is lost: it goes on when its day is over.",
        "Find out which program uses them, raise daily_share if nobody else needs them, or look for changes less often "
        "with sync: every:.",
    ),
    "SM320": Entry(
        "the file of a sheet is not there, or there are several",
        "The path leads to nothing, to a folder or to a temporary file; or a synchronised folder made copies because "
        "two people changed the file at the same time.",
        "Correct path: in the configuration. Of several copies bring the changes together in one and delete the rest.",
    ),
    "SM321": Entry(
        "the file is of a kind that is not read",
        "Workbooks are .xlsx or .xlsm, texts .csv, .tsv, .tab or .txt, and what is inside must be what the name says. "
        "This one is an old workbook, a web page, or something else.",
        "Open it in a spreadsheet program and save it as .xlsx or CSV.",
    ),
    "SM322": Entry(
        "the file is protected by a password",
        "Its contents cannot be read without the password, and there is no place to give one.",
        "Save the file without a password and protect the folder instead.",
    ),
    "SM323": Entry(
        "the file is damaged, or only half there",
        "It is empty, breaks off, or a quotation mark is never closed. It is never read in part: rows that are missing "
        "would look as if people had deleted them.",
        "Copy or export it again. For a text file go to the line that is told and close the quotation mark.",
    ),
    "SM324": Entry(
        "the file is too large",
        "It has more bytes, columns or cells than a list of people needs. Mostly there are formatted empty rows below "
        "the data, or the delimiter is not the one that was taken.",
        "Delete what lies behind the data, split the file, or set delimiter.",
    ),
    "SM325": Entry(
        "the letters of the file cannot be told",
        "A text file does not say how its letters are written, and ø or å could be read wrongly. It is not guessed, "
        "since wrong names would go out to all systems.",
        "Set encoding to what the message offers, or save the file as UTF-8.",
    ),
    "SM326": Entry(
        "how a sheet was understood",
        "What was taken for its heading row, its columns and its rows, and what was left out. It is an error where no "
        "heading row or sheet was found, or where nobody can be read: no column of the mapping is there, one is there "
        "twice, or every row was left out. Then nothing is read and nobody is taken for missing. A sheet with good "
        "headings and no rows is fine.",
        "Correct the sheet or set header_row, sheet, key_column or dates. Values that are told as damaged count as not "
        "known, so they replace nothing elsewhere.",
    ),
    "SM327": Entry(
        "the sheet is in use",
        "Somebody has it open, or it is being copied. It is read but not written meanwhile, and tried again by itself.",
        "Close it in the spreadsheet program. If nobody has it open, delete the lock file that the message names. "
        "Where it was saved just now, wait a minute and try again: a copy may still be on its way.",
    ),
    "SM328": Entry(
        "the sheet cannot be read or written by this user",
        "The file system said no: rights, a full disk, a drive that is read-only. The file stays as it was.",
        "Give the user that runs Smarketing the right to read the file and to make files in its folder, where a new "
        "version is written before it replaces the old one.",
    ),
    "SM329": Entry(
        "the sheet is only read, or not kept whole by writing",
        "Writing would lose or change something a person put there, or the sheet is write-protected. Then nothing is "
        "written. As an advice it tells what becomes of the file at the first write.",
        "Save the file anew in a spreadsheet program, lift its protection, or leave it read-only with writes: none.",
    ),
    "SM330": Entry(
        "signed in",
        "The system answers and accepts the credentials.",
        "Nothing.",
    ),
    "SM331": Entry(
        "the token does not say who we are",
        "Our own changes cannot be told from other people's by the user who made them. It goes well without, but a "
        "little slower and with less to show.",
        "Grant the app the scope that the message names.",
    ),
    "SM332": Entry(
        "rights",
        "What the user or app we act as may do over there. It is an error where something is missing that the "
        "configuration needs.",
        "Give it the rights that the message names.",
    ),
    "SM333": Entry(
        "the opt-out field is hidden",
        "The field that says a person wants no e-mail is not visible to our user. Refusals could be neither heard nor "
        "told.",
        "Give our user the right to read and edit that field before anything is synchronised.",
    ),
    "SM334": Entry(
        "fields of the mapping are not there",
        "The mapping wants fields read that the system does not have, or does not show to our user.",
        "Make them visible, or take them out of the mapping. Until then they are not read.",
    ),
    "SM335": Entry(
        "our key field",
        "Smarketing puts a key of its own on each record that it creates. By it a create whose answer was lost is "
        "found again instead of being repeated: no person twice. Without it such a case may end as a question.",
        'Let "smarketing check SYSTEM --add-keys" make the field, or make it by hand as the message says.',
    ),
    "SM336": Entry(
        "the system looks for duplicates by itself",
        "A rule over there may refuse a new record because it looks like one that is there. We then link to that "
        "record, or ask a person when there are several.",
        "Nothing, if the rule is meant. It is good to know when a create is refused.",
    ),
    "SM337": Entry(
        "requests of the day",
        "How many of the day's requests are used, by all programs together. We stop at our share of them, so that "
        "other programs are not starved.",
        "If it is a warning, find out what uses them, or change daily_share.",
    ),
    "SM338": Entry(
        "the clocks differ",
        "The clock of this machine is ahead of the system's. Changes could be missed until everything is looked at "
        "again.",
        "Let this machine keep its time by NTP.",
    ),
    "SM339": Entry(
        "the vendor's own synchronisation seems to be there",
        "Fields show that another synchronisation between the same two systems has been here. Two ways at once make "
        "people twice and changes that echo.",
        "Switch the other one off, or let it keep its fields and have Smarketing leave them alone: writes: none, or "
        "direction: in on the lines in question.",
    ),
    # --- the machine, and our own faults -------------------------------------------------------------------------
    "SM901": Entry(
        "the machine refused",
        "A file could not be read or written, or the network could not be used, for the reason that is told.",
        "Check the rights, the path and the disk.",
    ),
    "SM902": Entry(
        "the disk is full",
        "There was no room to write. Nothing is lost.",
        "Make room and run the command again.",
    ),
    "SM903": Entry(
        "the package that makes up people is missing",
        "The demonstration and a filled sandbox need people who do not exist. Their names come from the package "
        "Faker, which is not installed with the rest since nothing else needs it.",
        "Run pip install 'smarketing[demo]'. An empty sandbox does without: smarketing sandbox --empty.",
    ),
    "SM999": Entry(
        "a fault of ours",
        "Something happened that was not foreseen. Whatever was under way is as it was before or stands in doubt, and "
        "is cleared up by the next run.",
        "Run the command again with --verbose before it, and report what it shows. No personal data is in it.",
    ),
}


def page() -> str:
    """docs/codes.md."""
    parts = [
        "# Codes",
        "",
        "Every message of Smarketing that tells of a problem carries a code, as in `error[SM106]`. The message says "
        "where and what; this page says what is behind it. `smarketing explain CODE` shows the same in a terminal.",
        "",
        "This page is made by `python -m smarketing.texts`; change the texts there.",
    ]
    for kind, title in KINDS.items():
        parts += ["", f"## {title}"]
        for code, entry in CODES.items():
            if code.startswith(kind):
                parts += ["", f"### {code}: {entry.title}", "", entry.meaning, "", f"**What to do:** {entry.cure}"]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
