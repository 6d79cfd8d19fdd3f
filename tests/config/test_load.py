"""Finding the file and loading it; everything that is wrong told at once, at its place, and no secret in any of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from config.load import NAME, VARIABLE, find, user_folder
from config.problem import ConfigError
from tests.config.files import Crm, Folder, Sheet, folder

__all__ = ["folder"]

SECRET = "pat-secret-4711-0001"


# --- which file --------------------------------------------------------------------------------------------------


def test_the_file_is_the_one_named_then_the_variables_then_the_folders_then_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, home = tmp_path / "here", tmp_path / "home"
    for each in (here, home / ".config" / "smarketing"):
        each.mkdir(parents=True)
    monkeypatch.chdir(here)
    env = {"HOME": str(home)}
    users = home / ".config" / "smarketing" / NAME
    named, from_variable = tmp_path / "named.yaml", tmp_path / "variable.yaml"
    with pytest.raises(ConfigError, match="no configuration was found"):
        find(None, env)
    users.touch()
    assert find(None, env) == users
    (here / NAME).touch()
    assert find(None, env) == Path(NAME)
    from_variable.touch()
    assert find(None, {**env, VARIABLE: str(from_variable)}) == from_variable
    named.touch()
    assert find(named, {**env, VARIABLE: str(from_variable)}) == named


def test_one_that_is_named_and_not_there_is_never_replaced_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / NAME).touch()
    with pytest.raises(ConfigError, match=r"x\.yaml: there is no such file; --config names it"):
        find(Path("x.yaml"), {})
    with pytest.raises(ConfigError, match=r"y\.yaml: there is no such file; SMARKETING_CONFIG names it"):
        find(None, {VARIABLE: "y.yaml"})


def test_an_empty_variable_names_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / NAME).touch()
    assert find(None, {VARIABLE: ""}) == Path(NAME)


def test_the_users_folder_is_where_the_machine_keeps_such() -> None:
    assert user_folder({"HOME": "/h"}) == Path("/h/.config/smarketing")
    assert user_folder({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}) == Path("/x/smarketing")
    assert user_folder({"APPDATA": "/a", "HOME": "/h"}) == Path("/a/smarketing")


def test_a_folder_is_no_file(folder: Folder) -> None:
    from config.load import load
    from tests.config.files import connectors

    with pytest.raises(ConfigError, match="the file cannot be read: is a directory"):
        load(folder.path, connectors, {})


# --- what is loaded ----------------------------------------------------------------------------------------------


def test_an_almost_empty_file_has_the_defaults(folder: Folder) -> None:
    settings = folder.load("timezone:\nsystems:\n").settings
    assert (settings.timezone, settings.region, settings.sync.every, settings.systems) == ("Europe/Oslo", "NO", 300, {})
    assert settings.database.get_secret_value() == f"sqlite:///{folder.path.as_posix()}/smarketing.db"


def test_a_systems_own_keys_are_its_connectors(folder: Folder) -> None:
    found = folder.load(
        """\
        systems:
          one: {connector: crm, writes: update, token: t, parallel: 9}
          two: {connector: sheet, path: a/b.csv, mapping: m.yaml}
        """
    ).settings.systems
    assert list(found) == ["one", "two"], "the order says who wins between equals"
    one, two = found.values()
    assert isinstance(one.own, Crm)
    assert (one.writes, one.own.parallel, one.own.token.get_secret_value()) == ("update", 9, "t")
    assert isinstance(two.own, Sheet)
    assert (two.own.path, two.mapping) == (folder.path / "a/b.csv", folder.path / "m.yaml")


def test_a_name_with_nothing_behind_it_is_as_good_as_not_there(folder: Folder) -> None:
    own = folder.load("systems: {a: {connector: crm, token: t, parallel: , fast: , pool: {size: }}}").settings
    assert own.systems["a"].own == Crm(token=SecretStr("t"))
    assert folder.said("systems: {a: {connector: crm, token: }}") == [
        'SM105 1:31: "token" is missing; write "${NAME}", file:PATH or keyring:SERVICE/USER'
    ]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("sqlite:///x.db", "sqlite:///{folder}/x.db"),
        ("sqlite:////var/x.db", "sqlite:////var/x.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite:///C:/x.db", "sqlite:///C:/x.db"),
        ("postgresql+psycopg://u:p@h/x", "postgresql+psycopg://u:p@h/x"),
    ],
)
def test_a_database_file_lies_beside_the_configuration(folder: Folder, said: str, wanted: str) -> None:
    found = folder.load(f'database: "{said}"\n').settings.database.get_secret_value()
    assert found == wanted.format(folder=folder.path.as_posix())


def test_paths_are_relative_to_the_file_wherever_the_program_is_started(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    own = folder.load("systems: {s: {connector: sheet, path: ../x.csv}}").settings.systems["s"].own
    assert isinstance(own, Sheet)
    assert own.path == folder.path / "../x.csv"


# --- what is wrong -----------------------------------------------------------------------------------------------


def test_everything_that_is_wrong_is_told_at_once(folder: Folder) -> None:
    text = f"""\
    timezone: Europe/Olso
    sytsems: {{}}
    systems:
      crm:
        connector: crm
        token: {SECRET}
        paralel: 3
        parallel: 99
        fast: maybe
        pool: {{size: 0, sice: 3}}
      sheet: {{connector: shet}}
      third: {{connector: sheet}}
    sync:
      every: 5
      trust: [crm, crn]
      fields:
        phnoe: {{rule: newest}}
        phone: {{rule: newst}}
    """
    assert folder.said(text) == [
        'SM104 1:11: "timezone" is "Europe/Olso"; write a place, as in Europe/Oslo; did you mean "Europe/Oslo"?',
        'SM103 2:1: unknown key "sytsems"; did you mean "systems"?',
        'SM103 7:5: unknown key "paralel"; did you mean "parallel"?',
        'SM104 8:15: "parallel" is 99; it must be at most 20',
        'SM104 9:11: "fast" is "maybe"; write true or false',
        'SM104 10:18: "size" is 0; it must be at least 1',
        'SM103 10:21: unknown key "sice"; did you mean "size"?',
        'SM108 11:22: there is no connector "shet"; did you mean "sheet"?',
        'SM105 12:3: "path" is missing',
        'SM104 14:10: "every" is 5; write a number and a unit: 30s, 5m, 24h, 7d, 1h30m',
        'SM108 15:16: there is no system "crn"; did you mean "crm"?',
        'SM108 17:5: the lead has no field "phnoe"; did you mean "phone"?',
        'SM104 18:19: "rule" is "newst"; allowed: newest, union, furthest, person_first, ask, "owner: SYSTEM", '
        '"trust: [SYSTEM, SYSTEM]"; did you mean "newest"?',
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("funnel: {}", 'SM103 1:1: unknown key "funnel"'),
        ("web: {}", 'SM103 1:1: unknown key "web"'),
        ("alerts: {}", 'SM103 1:1: unknown key "alerts"'),
        ("systems: []", 'SM104 1:10: "systems" is a list; write a map'),
        ("systems: {a: 3}", 'SM104 1:14: "a" is 3; write a map'),
        ("systems: {a: {}}", 'SM105 1:11: "connector" is missing'),
        ("systems: {a b: {connector: crm, token: t}}", 'SM104 1:11: "a b"; a name has letters, digits'),
        ("systems: {s: {connector: sheet, path: 3}}", 'SM104 1:39: "path" is 3; write the path of a file'),
        ("systems: {s: {connector: sheet, path: x, dates: d}}", 'SM104 1:49: "dates" is "d"; write a list'),
        ("sync: {every: 5m, fresh: true}", 'SM104 1:26: "fresh" is true; write a number and a unit'),
        ("sync: {every: 0s}", 'SM104 1:7: "sync" is a map; every and sweep must be at least 1s'),
        ("sync: {trust: crm}", 'SM104 1:15: "trust" is "crm"; write a list'),
        ("region: XX", 'SM104 1:9: "region" is "XX"; write a country\'s code of two letters'),
        ("region: UK", 'SM104 1:9: "region" is "UK"; write a country\'s code of two letters, as in NO, SE, DK; did you mean "GB"?'),
        ("lead: {fields: {shoe: integr}}", 'SM108 1:23: "shoe": there is no type "integr"; did you mean "integer"?'),
        ("sync: {deletions: {crm: archive}}", 'SM108 1:20: there is no system "crm"'),
        ("sync: {owners: {ola: kari@example.com}}", 'SM104 1:17: "ola"; write an e-mail address'),
        ("sync: {owners: {ola@example.com: kari}}", 'SM104 1:34: "ola@example.com" is "kari"; write an e-mail address'),
        ("sync: {fields: {phone: {rule: union}}}", 'SM104 1:31: "phone": the rule union is for sets'),
        ("sync: {fields: {consent.email: {rule: newest}}}", 'SM104 1:17: "consent.email": consent has rules of its own'),
        (
            "sync: {fields: {first_name: {rule: newest}, last_name: {rule: ask}}}",
            'SM104 1:45: "last_name" and "first_name" move together as name, and have different rules',
        ),
        ("sync: {limits: {archive: {share: 200%}}}", 'SM104 1:34: "share" is "200%"; write a percentage'),
        ("timezone: 0150", "SM104 1:11: 0150 would be read as 150; put it in quotes"),
        ("timezone: Europe/Oslo\ntimezone: Europe/Paris", 'SM102 2:1: "timezone" stands twice, first in line 1'),
        ("database: ''", 'SM107 1:11: "database" is empty'),
    ],
)  # fmt: skip
def test_each_mistake_has_its_place_its_code_and_what_to_write(folder: Folder, text: str, wanted: str) -> None:
    told = folder.said(text)
    assert any(each.startswith(wanted) for each in told), told


@pytest.mark.parametrize("written", ["no", "on", "yes"])
def test_a_country_called_no_is_norway(folder: Folder, written: str) -> None:
    if written == "no":
        assert folder.load(f"region: {written}").settings.region == "NO"
    else:
        assert folder.said(f"region: {written}")[0].startswith(f'SM104 1:9: "region" is "{written}"')


@pytest.mark.parametrize(
    ("said", "rule", "systems"),
    [
        ("newest", "newest", ()),
        ('"owner: crm"', "owner", ("crm",)),
        ("{owner: crm}", "owner", ("crm",)),
        ('"trust: [crm, s]"', "trust", ("crm", "s")),
        ("{trust: [s, crm]}", "trust", ("s", "crm")),
        ("person_first", "person_first", ()),
        ("ask", "ask", ()),
    ],
)
def test_rules_are_read_as_people_write_them(folder: Folder, said: str, rule: str, systems: tuple[str, ...]) -> None:
    text = f"systems: {{crm: {{connector: crm, token: t}}, s: {{connector: sheet, path: x}}}}\nsync: {{fields: {{phone: {{rule: {said}}}}}}}"
    found = folder.load(text).settings.sync.fields["phone"].rule
    assert (found.name, found.systems) == (rule, systems)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("30s", 30), ("5m", 300), ("24h", 86_400), ("7d", 604_800), ("1h30m", 5_400), ("1h 30m", 5_400)],
)
def test_times_are_read_as_people_write_them(folder: Folder, said: str, seconds: int) -> None:
    assert folder.load(f"sync: {{sweep: {said}}}").settings.sync.sweep == seconds


def test_what_a_limit_does_not_say_stays_as_it_was(folder: Folder) -> None:
    limits = folder.load("sync: {limits: {update: {share: 50%}}}").settings.sync.limits
    assert limits.update is not None
    assert (limits.update.floor, limits.update.share) == (50, 0.5)


# --- secrets stay secret -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"systems: {{crm: {{connector: crm, tokn: {SECRET}}}}}",
        f"systems: {{crm: {{connector: crm, token: [{SECRET}]}}}}",
        f"systems: {{crm: {{connector: crm, token: {{x: {SECRET}}}}}}}",
        f"systems: {{crm: {{connector: crm, token: t, pool: {{password: [{SECRET}]}}}}}}",
        f"database: [{SECRET}]",
        "systems: {crm: {connector: crm, token: 00471147114711}}",
        'systems: {crm: {connector: crm, token: "${T}", parallel: "${T}"}}',
        'systems: {crm: {connector: crm, token: "${T}", fast: "${T}"}}\nsync: {every: "${T}"}',
        'systems: {crm: {connector: "${T}"}}',
        "systems: {crm: {connector: crm, token: 'keyring:x'}}",
        'region: "${T}"\ntimezone: "${T}"',
    ],
)
def test_no_problem_tells_a_secret(folder: Folder, text: str) -> None:
    told = folder.problems(text, {"T": SECRET})
    assert told
    for each in told:
        assert SECRET not in f"{each} {each.words}"
        assert "471147114711" not in f"{each} {each.words}"


def test_loaded_settings_show_no_secret(folder: Folder) -> None:
    loaded = folder.load(
        f"database: postgresql://u:{SECRET}@h/x\nsystems: {{crm: {{connector: crm, token: {SECRET}}}}}"
    )
    assert SECRET not in repr(loaded.settings)
    assert SECRET not in str({path: str(origin) for path, origin in loaded.origins.items()})
