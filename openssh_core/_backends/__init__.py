"""Two ways to ask a master for a session, behind one front that never asks which it has."""
