"""`python -m openssh_compat.fabric` is `fab-openssh`."""

from .main import main

main()
