"""Starts the service as an instance does, and asks it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.request
from pathlib import Path


class AppTest(unittest.TestCase):
    def setUp(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)}
        self.service = subprocess.Popen([sys.executable, Path(__file__).with_name("app.py")], env=environment)
        self.addCleanup(self.service.wait)
        self.addCleanup(self.service.kill)

    def ask(self, path: str) -> dict[str, object]:
        for _ in range(100):
            try:
                with urllib.request.urlopen(self.url + path) as answer:
                    return json.load(answer)
            except OSError:
                time.sleep(0.05)
        self.fail("the service does not answer")

    def test_it_is_healthy_says_its_version_and_stops_when_told(self) -> None:
        self.assertEqual(self.ask("/healthz"), {"ok": True})
        self.assertEqual(self.ask("/")["service"], "@NAME@")
        self.service.send_signal(signal.SIGTERM)
        self.assertEqual(self.service.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
