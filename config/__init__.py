"""The file that a person writes: its shape, finding and loading it, and everything that is wrong in it at once."""
