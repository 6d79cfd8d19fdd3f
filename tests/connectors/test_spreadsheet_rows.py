"""Who is who: rows keep their names while people sort, edit and copy, and while we write."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.base import Done, Exists, Feed, FeedKind, Gone, Record, Ref, Refused, State
from connectors.errors import CursorLost, Stop
from connectors.spreadsheet import Spreadsheet
from tests.connectors.sheet_files import (
    PEOPLE,
    ROWS,
    cells,
    connect,
    create,
    delta,
    read,
    said,
    text_file,
    update,
    update_of,
    values,
    workbook,
    write,
)


def names(connector: Spreadsheet) -> dict[object, str]:
    """E-mail address → the id of its row."""
    return {record.fields.get("E-post"): record.ref.id for record in read(connector)}


def lines(path: Path) -> list[str]:
    return path.read_bytes().decode().splitlines()


# Without an id column


def test_rows_keep_their_names_when_they_are_sorted_and_edited_elsewhere(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv")
    before = names(connect(path))
    text_file(path, [PEOPLE, ("Åse Ø. Ny", "ASE@example.com", ""), ROWS[0]])
    after = names(connect(path))
    assert after == {"ASE@example.com": before["ase@example.com"], "kare@example.com": before["kare@example.com"]}
    assert len(set(before.values())) == 2


def test_a_row_without_an_address_is_named_by_what_it_says(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [PEOPLE, ("Ola", "", "1"), ("Kari", "", "2")])
    before = [record.ref for record in read(connect(path))]
    text_file(path, [(*PEOPLE, "Ukjent"), ("Kari", "", "2", "ny"), ("Ola", "", "1", "")])
    assert [record.ref for record in read(connect(path))] == before[::-1]


def test_two_people_with_one_address_are_two_rows(tmp_path: Path) -> None:
    path = text_file(
        tmp_path / "leads.csv", [PEOPLE, ("Ola", "post@example.com", "1"), ("Kari", "post@example.com", "2")]
    )
    refs = [record.ref for record in read(connect(path))]
    assert len(set(refs)) == 2


def test_the_very_same_row_twice_is_one_record(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [PEOPLE, ROWS[0], ROWS[1], (" Kåre Ås ", "kare@example.com", "91234567")])
    assert len(read(connect(path))) == 2


def test_the_first_write_gives_every_row_the_name_that_it_had(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv")
    connector = connect(path)
    first, second = read(connector)
    answer = write(connector, update(first, {"Mobil": "1"}))[0]
    assert isinstance(answer, Done)
    assert answer.id == first.ref.id
    assert lines(path) == [
        "Navn;E-post;Mobil;smarketing_id",
        f"Kåre Ås;kare@example.com;1;{first.ref.id}",
        f"Åse Ødegård;ase@example.com;22334455;{second.ref.id}",
    ]
    for again in (connector, connect(path)):
        assert [record.ref for record in read(again)] == [first.ref, second.ref], (
            "a write made a second record of a row"
        )
        assert [record.aliases for record in read(again)] == [(), ()]


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_after_the_first_write_a_row_keeps_its_name_whatever_changes_in_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"leads.{suffix}"
    text_file(path) if suffix == "csv" else workbook(path)
    connector = connect(path)
    before = read(connector)
    write(connector, update(before[0], {"Navn": "Kåre Berg", "E-post": "kb@example.com"}))
    write(connect(path), update_of(before[1].ref.id, {"Navn": "Åse Dal", "E-post": "ad@example.com", "Mobil": None}))
    assert names(connect(path)) == {"kb@example.com": before[0].ref.id, "ad@example.com": before[1].ref.id}


def test_a_row_that_a_person_adds_later_gets_its_name_at_the_next_write(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [(*PEOPLE, "smarketing_id"), (*ROWS[0], "a-1"), (*ROWS[1], "")])
    connector = connect(path)
    assert "1 rows have no id yet" in said(connector, "ok")
    new = read(connector)[1]
    write(connector, update_of("a-1", {"Mobil": "5"}))
    assert lines(path)[2] == f"Åse Ødegård;ase@example.com;22334455;{new.ref.id}"


def test_a_new_row_with_an_address_that_another_row_began_with_is_somebody_else(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv")
    connector = connect(path)
    kare = read(connector)[0]
    write(connector, update(kare, {"E-post": "kb@example.com"}))
    path.write_bytes(path.read_bytes() + b"Eva;kare@example.com;9;\r\n")
    eva = read(connect(path))[2]
    assert eva.fields["Navn"] == "Eva"
    assert eva.ref != kare.ref
    write(connect(path), update(eva, {"Mobil": "10"}))
    assert names(connect(path))["kare@example.com"] == eva.ref.id


def test_a_create_is_known_by_its_key(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv")
    connector = connect(path)
    answer = write(connector, create({"Navn": "Eva", "E-post": "eva@example.com"}, "lead-7-create"))[0]
    assert isinstance(answer, Done)
    assert answer.id == "lead-7-create"
    assert lines(path)[3] == "Eva;eva@example.com;;lead-7-create"
    assert [record.ref.id for record in connector.find("row", "smarketing_id", ["lead-7-create", "none"])] == [
        answer.id
    ]
    again = write(connect(path), create({"Navn": "Eva 2"}, "lead-7-create"))[0]
    assert isinstance(again, Exists)
    assert again.record.fields["Navn"] == "Eva"
    assert len(lines(path)) == 4


def test_a_key_that_looks_like_a_formula_is_the_same_key_after_writing(tmp_path: Path) -> None:
    for path in (text_file(tmp_path / "leads.csv"), workbook(tmp_path / "leads.xlsx")):
        answer = write(connect(path), create({"Navn": "Eva"}, "=key+1"))[0]
        assert isinstance(answer, Done)
        assert [each.ref.id for each in connect(path).fetch([Ref("row", answer.id)]) if each.state is State.LIVE] == [
            "=key+1"
        ]


def test_the_own_key_is_our_column_and_can_be_added_beforehand(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx")
    connector = connect(path, id_column="vår_id")
    before = [record.ref.id for record in read(connector)]
    assert connector.own_key("row") == "vår_id"
    assert connector.add_own_key("row") == "vår_id"
    assert cells(path) == [(*PEOPLE, "vår_id"), (*ROWS[0], before[0]), (*ROWS[1], before[1])]
    version = connector.requests()
    assert connector.add_own_key("row") == "vår_id"
    assert connector.requests()["write"] == version["write"], "an id column that is there was written again"


def test_our_column_is_known_however_its_heading_is_spelt(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [(*PEOPLE, "Smarketing-ID"), (*ROWS[0], "a"), (*ROWS[1], "b")])
    connector = connect(path)
    assert [record.ref.id for record in read(connector)] == ["a", "b"]
    write(connector, create({"Navn": "Eva"}, "c"))
    assert lines(path)[0] == "Navn;E-post;Mobil;Smarketing-ID"
    assert lines(path)[3] == "Eva;;;c"
    assert connector.schema("row").by_name()["Smarketing-ID"].read_only


def test_titles_totals_and_notes_get_no_id(tmp_path: Path) -> None:
    path = text_file(
        tmp_path / "leads.csv", [("Kunder",), PEOPLE, ROWS[0], ("Totalt", "", "1"), ("", "", ""), ("Kilde: messe",)]
    )
    connector = connect(path)
    id_ = read(connector)[0].ref.id
    connector.add_own_key("row")
    assert lines(path) == [
        "Kunder",
        "Navn;E-post;Mobil;smarketing_id",
        f"Kåre Ås;kare@example.com;91234567;{id_}",
        "Totalt;;1",
        ";;",
        "Kilde: messe",
    ]


# One id on several rows


@pytest.mark.parametrize("settings", [{}, {"key_column": "E-post"}])
def test_different_rows_with_one_key_are_left_out_and_rest_until_told_apart(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    head = (*PEOPLE, "smarketing_id")
    copied = [
        ("Ola", "o@example.com", "1", "a"),
        ("Kari", "o@example.com", "2", "a"),
        ("Per", "p@example.com", "3", "b"),
    ]
    path = text_file(tmp_path / "leads.csv", [head, *copied])
    connector = connect(path, how=settings)
    key = "o@example.com" if settings else "a"
    assert [fields["Navn"] for fields in values(connector)] == ["Per"]
    assert "lines 2, 3 left out: they have the same key as a different row" in said(connector, "warning")
    assert [each.state for each in connector.fetch([Ref("row", key)])] == [State.OUT_OF_SCOPE]
    assert write(connector, update_of(key, {"Navn": "x"})) == [Gone(State.OUT_OF_SCOPE)]
    clash = write(connector, create({"Navn": "x", "E-post": "O@example.com"}, "a"))[0]
    assert isinstance(clash, Refused)
    assert clash.code == "duplicate"
    assert lines(path)[1:] == [";".join(row) for row in copied]


def test_equal_rows_with_one_id_are_one_record_and_are_written_together(tmp_path: Path) -> None:
    path = text_file(
        tmp_path / "leads.csv", [(*PEOPLE, "smarketing_id"), (*ROWS[0], "a"), (*ROWS[1], "b"), (*ROWS[0], "a")]
    )
    connector = connect(path)
    assert [record.ref.id for record in read(connector)] == ["a", "b"]
    write(connector, update_of("a", {"Mobil": "5"}))
    assert [line.split(";")[2] for line in lines(path)] == ["Mobil", "5", "22334455", "5"]


def test_an_id_that_a_program_damaged_leaves_its_row_out(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [(*PEOPLE, "smarketing_id"), (*ROWS[0], "1,2E+12"), (*ROWS[1], "b")])
    connector = connect(path)
    assert [record.ref.id for record in read(connector)] == ["b"]
    assert "line 2 left out: it holds no readable id" in said(connector, "warning")


# A natural key


def test_a_key_column_names_the_rows_and_no_column_is_added(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv")
    connector = connect(path, key_column="E-post")
    assert [record.ref.id for record in read(connector)] == ["kare@example.com", "ase@example.com"]
    assert connector.own_key("row") is None
    assert connector.capabilities.unique == {"E-post"}
    with pytest.raises(Stop, match="key_column"):
        connector.add_own_key("row")
    write(connector, update_of("kare@example.com", {"Mobil": "5"}))
    assert lines(path)[0] == "Navn;E-post;Mobil"


def test_a_key_is_the_same_in_upper_and_lower_case_and_however_it_is_composed(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv", [PEOPLE, ("Ola", "Ola@Example.com", "1"), ("Kari", "A\u030as", "2")])
    connector = connect(path, key_column="E-post")
    assert [record.ref.id for record in read(connector)] == ["ola@example.com", "Ås"]
    assert isinstance(write(connector, create({"E-post": "OLA@example.com"}))[0], Exists)
    assert [each.fields["Navn"] for each in connector.find("row", "E-post", ["oLa@example.com"])] == ["Ola"]


def test_a_changed_key_is_told_as_a_changed_id(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv")
    connector = connect(path, key_column="E-post")
    answer = write(connector, update_of("kare@example.com", {"E-post": "Kb@example.com", "Mobil": "5"}))[0]
    assert isinstance(answer, Done)
    assert answer.id == "kb@example.com"
    assert answer.fields == {"E-post": "Kb@example.com", "Mobil": "5"}
    assert [each.state for each in connector.fetch([Ref("row", "kare@example.com")])] == [State.GONE]


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"E-post": None}, "key"), ({"E-post": "ASE@example.com"}, "duplicate")],
)
def test_a_key_cannot_be_emptied_nor_be_another_rows(tmp_path: Path, fields: dict[str, str | None], code: str) -> None:
    path = text_file(tmp_path / "leads.csv")
    before = path.read_bytes()
    answer = write(connect(path, key_column="E-post"), update_of("kare@example.com", {**fields}))[0]
    assert isinstance(answer, Refused)
    assert (answer.code, answer.fields) == (code, ("E-post",))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "fields", [{"Navn": "Eva"}, {"Navn": "Eva", "E-post": None}, {"Navn": "Eva", "E-post": "\x00"}]
)
def test_a_new_row_needs_its_key(tmp_path: Path, fields: dict[str, str | None]) -> None:
    answer = write(connect(text_file(tmp_path / "leads.csv"), key_column="E-post"), create({**fields}))[0]
    assert isinstance(answer, Refused)
    assert (answer.code, answer.fields) == ("key", ("E-post",))


def test_two_new_rows_with_one_key_in_one_batch_are_one_row_and_one_refusal(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv")
    answers = write(
        connect(path, key_column="E-post"),
        create({"Navn": "Eva", "E-post": "eva@example.com"}),
        create({"Navn": "Liv", "E-post": "EVA@example.com"}),
    )
    assert [type(each) for each in answers] == [Done, Refused]
    assert len(lines(path)) == 4


def test_rows_without_a_key_are_left_out(tmp_path: Path) -> None:
    connector = connect(text_file(tmp_path / "leads.csv", [PEOPLE, ROWS[0], ("Eva", "", "1")]), key_column="E-post")
    assert [fields["Navn"] for fields in values(connector)] == ["Kåre Ås"]
    assert "line 3 left out: it has no value in the key column" in said(connector, "warning")


def test_a_key_column_that_is_not_there_stops(tmp_path: Path) -> None:
    with pytest.raises(Stop, match='has no column "Kundenr"; correct key_column or header_row') as stopped:
        read(connect(text_file(tmp_path / "leads.csv"), key_column="Kundenr"))
    assert stopped.value.code == "SM326"


# Feeds


def test_a_row_that_is_missing_is_gone_and_never_deleted(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv")
    connector = connect(path)
    first, second = read(connector)
    text_file(path, [PEOPLE, ROWS[1]])
    assert [record.ref for record in read(connector)] == [second.ref]
    assert list(connector.fetch([first.ref])) == [Record(first.ref, {}, State.GONE, version=read(connector)[0].version)]
    assert all(kind is not FeedKind.DELETES for _, kind in connector.capabilities.feeds)
    assert write(connector, update(first, {"Navn": "x"})) == [Gone()]


def test_an_unchanged_file_is_one_reading_and_an_empty_last_page(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv")
    cursor = list(connect(path).changes(delta()))[-1].cursor
    connector = connect(path)
    pages = list(connector.changes(delta(cursor)))
    assert [(page.records, page.cursor, page.last) for page in pages] == [([], cursor, True)]
    assert connector.requests() == {"read": 1, "look": 0, "write": 0}
    assert len(cursor) < 100, "a cursor must stay small"


def test_a_changed_file_is_told_whole(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv")
    cursor = list(connect(path).changes(delta()))[-1].cursor
    text_file(path, [PEOPLE, ROWS[1], ROWS[0]])
    assert len([each for page in connect(path).changes(delta(cursor)) for each in page.records]) == 2


def test_a_file_that_is_read_otherwise_is_told_again_though_it_did_not_change(tmp_path: Path) -> None:
    path = text_file(tmp_path / "leads.csv")
    cursor = list(connect(path, ("Navn",)).changes(delta()))[-1].cursor
    assert next(iter(connect(path, ("Navn", "Mobil")).changes(delta(cursor)))).records
    assert next(iter(connect(path, ("Navn",), dates=("Navn",)).changes(delta(cursor)))).records


@pytest.mark.parametrize("cursor", ["", "17", "{}", "not json", '{"file": 1}'])
def test_a_cursor_of_another_making_is_lost(tmp_path: Path, cursor: str) -> None:
    connector = connect(text_file(tmp_path / "leads.csv"))
    for walk in (connector.changes, connector.ids):
        with pytest.raises(CursorLost, match=r"leads\.csv: the saved cursor is none of a sheet"):
            next(walk(delta(cursor)))


def test_a_sweep_lists_names_and_versions_only(tmp_path: Path) -> None:
    connector = connect(text_file(tmp_path / "leads.csv"))
    page = next(iter(connector.ids(Feed("row", FeedKind.SWEEP))))
    assert [record.fields for record in page.records] == [{}, {}]
    assert len({record.version for record in page.records}) == 1
    assert page.last


def test_columns_that_the_mapping_does_not_name_are_not_read(tmp_path: Path) -> None:
    assert values(connect(text_file(tmp_path / "leads.csv"), ("Navn",))) == [
        {"Navn": "Kåre Ås"},
        {"Navn": "Åse Ødegård"},
    ]
