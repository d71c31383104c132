"""What ssh(1) and a remote shell are told, and what they say. Text in, values out: nothing here does any I/O."""
