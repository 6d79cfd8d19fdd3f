"""Mailchimp's stand-in: audiences, members, merge fields, tags, batches and webhooks of its Marketing API 3.0.

Written from the vendor's documentation and contract, never from our connector.
"""

from smarketing.sandbox.mailchimp.emulator import MailchimpEmulator

__all__ = ["MailchimpEmulator"]
