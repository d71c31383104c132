"""A program with a terminal, which it hands over: `handing_over.py OPTIONS MODE [COMMAND]`. See test_shell.py."""

from __future__ import annotations

import json
import sys
import termios
import threading

import openssh_core


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, ("", *words))) + "\n")
    sys.stdout.flush()


def main(options: str, mode: str, *command: str) -> None:
    with openssh_core.connect(**json.loads(options)) as host:
        before = termios.tcgetattr(0) if sys.stdin.isatty() else None
        say("MASTER", host.master_pid)
        try:
            if mode == "interact":
                with host.expect(*command) as child:
                    child.expect("ready")
                    say("TAKE OVER")
                    child.interact()
                    outcome = "LEFT"
            elif mode == "thread":
                codes: list[int] = []
                thread = threading.Thread(target=lambda: codes.append(host.shell(*command)))
                thread.start()
                thread.join()
                outcome = f"RETURNED {codes}"
            else:
                outcome = f"RETURNED {host.shell(*command)}"
        except BaseException as error:  # noqa: BLE001
            outcome = f"RAISED {type(error).__name__}"
        after = termios.tcgetattr(0) if before is not None else None
        say(outcome, "RESTORED" if after == before else "CHANGED")


main(*sys.argv[1:])
