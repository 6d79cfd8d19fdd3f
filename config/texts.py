"""The English words for every problem of a configuration, with its code.

Where, what was found, what was allowed, what to do: the place is told in front by whoever prints the problem.
"""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    # finding and opening
    "no_file": (
        "SM101",
        'no configuration was found in {looked}; make one with "smarketing init", or name it with --config',
    ),
    "no_such_file": ("SM101", "there is no such file; {named} names it"),
    "unreadable_file": ("SM101", "the file cannot be read: {reason}"),
    # YAML
    "too_large": ("SM102", "the file has {size:,} bytes, at most {limit:,} are read"),
    "not_utf8": ("SM102", "the file is not UTF-8; save it with the encoding UTF-8"),
    "control_character": ("SM102", "the file holds a control character ({character}); take it out"),
    "tab": ("SM102", "the line is indented with a tab; use spaces"),
    "empty_file": ("SM102", "the file is empty"),
    "not_a_map": ("SM102", 'the file must hold lines of the form "name: value"'),
    "yaml": ("SM102", "the line cannot be understood: {problem}{hint}"),
    "two_documents": ("SM102", 'a second document begins here; take the line "---" out'),
    "unknown_alias": ("SM102", "there is no anchor of that name above"),
    "recursion": ("SM102", "the value contains itself"),
    "too_deep": ("SM102", "values are nested more than {limit} deep"),
    "too_many": ("SM102", "the file makes more than {limit:,} values; do not repeat an alias so often"),
    "tag": ("SM102", 'the tag "{tag}" is not understood; take it out'),
    "key_not_text": ("SM102", "a name must be plain text"),
    "merge_key": ("SM102", '"<<" is not understood; repeat the lines, or give the whole value as an alias'),
    "no_character": ("SM102", "the text holds half a character (a surrogate); write the character itself"),
    "duplicate_key": ("SM102", '"{key}" stands twice, first in line {line}; take one out'),
    "number_as_text": ("SM104", "{found} would be read as {read}; put it in quotes"),
    "huge_number": ("SM104", "the number has {digits:,} digits; quote it if it is a text"),
    # names and values
    "unknown_key": ("SM103", 'unknown key "{key}"{near}'),
    "bad_value": ("SM104", '"{key}"{found}; {allowed}'),
    "missing": ("SM105", '"{key}" is missing{what}'),
    "no_system": (
        "SM105",
        'the configuration names no system; add one under systems, or begin with "smarketing init" in another folder',
    ),
    # variables
    "undefined": (
        "SM106",
        '{name} is not set; set it in the environment or in {dotenv}, or write "${{{name}:-default}}"{near}',
    ),
    "malformed": ("SM106", '"${{" begins no variable here; write "${{NAME}}", or "$${{" for the two characters'),
    "dotenv": ("SM109", "the line cannot be understood; write NAME=value"),
    # secrets
    "secret_file": ("SM107", '"{key}": the file {file} cannot be read: {reason}'),
    "secret_too_large": ("SM107", '"{key}": the file {file} has more than {limit:,} bytes: that is no secret'),
    "secret_not_text": ("SM107", '"{key}": the file {file} is not UTF-8 text'),
    "empty_secret": ("SM107", '"{key}" is empty{source}'),
    "keyring_form": ("SM107", '"{key}": write keyring:SERVICE/USER'),
    "keyring_missing": (
        "SM107",
        '"{key}": the package keyring is not installed; run pip install "smarketing[keyring]"',
    ),
    "keyring_broken": (
        "SM107",
        '"{key}": the keyring of this machine cannot be used ({reason}); use file:PATH or an environment variable',
    ),
    "keyring_unknown": ("SM107", '"{key}": the keyring has no password of {user} for {service}'),
    # names that stand for something elsewhere
    "unknown_system": ("SM108", 'there is no system "{name}"{near}'),
    "unknown_connector": ("SM108", 'there is no connector "{name}"{near}'),
    "unknown_type": ("SM108", '"{key}": there is no type "{name}"{near}'),
    "unknown_field": ("SM108", 'the lead has no field "{name}"{near}'),
    "rule_for_consent": ("SM104", '"{key}": consent has rules of its own, which no configuration loosens'),
    "rule_for_kind": ("SM104", '"{key}": the rule {rule} is for {kind}, and {key} is none; allowed: {allowed}'),
    "same_system": (
        "SM104",
        '"{key}" is the same account or file as "{other}": it would only ever agree with itself; take one of them out',
    ),
    "rules_differ": ("SM104", '"{key}" and "{other}" move together as {group}, and have different rules'),
}
