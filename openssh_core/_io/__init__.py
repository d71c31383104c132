"""The only floor that blocks, owns descriptors, starts processes and reads the clock."""
