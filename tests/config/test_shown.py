"""Every value in force with where it comes from, and nothing secret among them."""

from __future__ import annotations

import pytest

from config.shown import COVERED, shown, without_password
from tests.config.files import Folder, folder

__all__ = ["folder"]

SECRET = "pat-secret-4711-0001"


def told(folder: Folder, text: str, **env: str) -> dict[str, tuple[object, str]]:
    found = shown(folder.load(text, env))
    return {each.name: (each.value, str(each.origin).replace(f"{folder.path}/", "")) for each in found}


def test_each_value_tells_where_it_comes_from(folder: Folder) -> None:
    folder.write(".env", "REGION=SE\n")
    folder.write("secret", SECRET)
    found = told(
        folder,
        """\
        region: ${REGION}
        systems:
          a: {connector: crm, token: file:secret, parallel: "${P:-3}", base_url: "${U}"}
        sync: {every: 90s, limits: {update: {share: 5%}}}
        """,
        U="https://x.example.com",
    )
    assert found["region"] == ("SE", ".env REGION")
    assert found["timezone"] == ("Europe/Oslo", "default")
    assert found["systems.a.token"] == (COVERED, "file secret")
    assert found["systems.a.parallel"] == (3, "c.yaml:3:53")
    assert found["systems.a.base_url"] == ("https://x.example.com", "environment U")
    assert found["sync.every"] == ("90s", "c.yaml:4:15")
    assert found["sync.sweep"] == ("24h", "default")
    assert found["sync.limits.update.share"] == (0.05, "c.yaml:4:45")
    assert found["sync.limits.update.floor"] == (50, "default")


def test_rules_are_shown_as_people_write_them(folder: Folder) -> None:
    text = "systems: {a: {connector: crm, token: t}}\nsync: {fields: {phone: {rule: {owner: a}}, tags: {rule: {trust: [a]}}, email: {rule: ask}}}"
    found = told(folder, text)
    assert found["sync.fields.phone.rule"][0] == "owner: a"
    assert found["sync.fields.tags.rule"][0] == "trust: [a]"
    assert found["sync.fields.email.rule"][0] == "ask"


def test_no_secret_is_shown_wherever_it_stands(folder: Folder) -> None:
    found = told(
        folder,
        f'database: postgresql://u:{SECRET}@h/x\nsystems: {{a: {{connector: crm, token: "${{T}}", pool: {{password: {SECRET}}}}}}}',
        T=SECRET,
    )
    assert SECRET not in str(found)
    assert found["systems.a.pool.password"][0] == COVERED
    assert found["database"][0] == f"postgresql://u:{COVERED}@h/x"


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("sqlite:////var/x.db", "sqlite:////var/x.db"),
        ("postgresql://u@h/x", "postgresql://u@h/x"),
        ("postgresql://u:pa@ss:w/rd@h:5432/x", f"postgresql://u:{COVERED}@h:5432/x"),
        ("postgresql://:pw@h/x", f"postgresql://:{COVERED}@h/x"),
        (
            "postgresql://h/x?user=u&password=pw&sslmode=require",
            f"postgresql://h/x?user=u&password={COVERED}&sslmode=require",
        ),
        ("postgresql://h/x?sslpassword=pw", f"postgresql://h/x?sslpassword={COVERED}"),
    ],
)
def test_a_databases_password_is_covered(address: str, wanted: str) -> None:
    assert without_password(address) == wanted
