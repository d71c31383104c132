"""Adapters that look like other SSH libraries. Holds no names, so importing one adapter never imports another."""
