"""Runs a command that ends only by Ctrl-C, and presses it once it has spoken: `COMMAND ARGUMENT...`."""

import signal
import subprocess
import sys

with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True) as command:
    assert command.stdout
    sys.stdout.write(command.stdout.readline())
    command.send_signal(signal.SIGINT)
    sys.stdout.write(command.stdout.read())
sys.exit(command.returncode if command.returncode != 130 else 0)
