"""State machines: bytes and `now` in, values and bytes out. No socket, clock, thread or process in here."""
