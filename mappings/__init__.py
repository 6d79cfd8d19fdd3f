"""Native values to and from the canonical lead."""
