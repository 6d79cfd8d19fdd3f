"""Spreadsheets (.csv, .xlsx) as an equal side of the sync: read and written."""

from connectors.spreadsheet.connector import Spreadsheet

__all__ = ["Spreadsheet"]
