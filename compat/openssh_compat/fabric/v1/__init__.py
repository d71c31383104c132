"""What task files of fabric 1 are written in; they import it from `openssh_compat.fabric.api` and beside that."""
