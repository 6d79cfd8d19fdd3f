"""Salesforce's stand-in: REST, collections, composite, SOQL, SOSL, Bulk API 2.0 and OAuth of one org, in memory."""

from smarketing.sandbox.salesforce.emulator import SalesforceEmulator

__all__ = ["SalesforceEmulator"]
