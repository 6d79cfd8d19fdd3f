"""What a person configures of a sheet. Only the path is needed; the rest overrules what is found by itself."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from connectors.base import ConnectorSettings


class SpreadsheetSettings(ConnectorSettings):
    path: Path
    """The file, .xlsx, .csv or .tsv; beside the configuration if not absolute."""
    sheet: str | None = None
    """Which sheet of a workbook; the first visible one if not set."""
    header_row: int | None = Field(default=None, ge=1)
    """The row (or line) with the headings, counted from 1 as a spreadsheet does; guessed if not set."""
    encoding: str | None = None
    """Only for text files, and only where it is not told rightly by itself."""
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    """What parts the columns of a text file; found by itself if not set."""
    id_column: str = Field(default="smarketing_id", min_length=1)
    """Our column, by which rows are known; added at the first write unless `key_column` is set."""
    key_column: str | None = Field(default=None, min_length=1)
    """A column of yours that tells the rows apart and never changes."""
    dates: tuple[str, ...] = ()
    """Columns in which a bare number, or day.month.year, is a date."""

    def place(self) -> tuple[object, ...]:
        return self.path.resolve(), self.sheet

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                "".encode(name)
            except LookupError:
                raise ValueError(
                    f"unknown encoding {name!r}; known are utf-8, cp1252, mac_roman, cp865 and others"
                ) from None
        return name

    @field_validator("delimiter")
    @classmethod
    def _parts_fields(cls, delimiter: str | None) -> str | None:
        if delimiter is not None and (delimiter in "\"'\r\n" or delimiter.isalnum()):
            raise ValueError('a delimiter is a sign such as ";", "," or a tab, no letter, digit or quotation mark')
        return delimiter
