"""A stand-in for HubSpot: contacts, their consent, their companies and owners, as the vendor's API shows them."""

from smarketing.sandbox.hubspot.access import App
from smarketing.sandbox.hubspot.emulator import HubSpotEmulator
from smarketing.sandbox.hubspot.owners import Owner

__all__ = ["App", "HubSpotEmulator", "Owner"]
