"""The documentation, and the program that makes its generated pages: `python -m docs`."""
