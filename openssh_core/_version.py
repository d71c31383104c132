"""The one place the version stands in; the build reads it from here."""

__version__ = "0.1.0"
