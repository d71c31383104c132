"""`python -m openssh_core.cli` is `openssh-compat`."""

from . import main

main()
