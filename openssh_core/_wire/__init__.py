"""Codecs: bytes to values and back. Nothing in here knows who asked, in which order, or over what."""
