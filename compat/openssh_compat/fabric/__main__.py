"""`python -m openssh_compat.fabric`."""

from .main import program

program.run()
