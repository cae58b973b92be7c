"""Measures campaigns side by side with what one would do without oppflow: `make bench`."""
