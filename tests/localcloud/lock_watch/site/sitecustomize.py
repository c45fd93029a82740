"""Puts an API process under watch; see `tests.localcloud.lock_watch.watch`."""

import atexit
import json
import os
import sys
import threading
from pathlib import Path

folder = os.environ.get("PAVED_TEST_LOCK_WATCH", "")
if folder and "pavedroad.localcloud.api" in sys.orig_argv:
    sys.path.insert(0, str(Path(__file__).parents[4]))
    from pavedroad.localcloud.api import server
    from pavedroad.localcloud.state import State
    from tests.localcloud.lock_watch.watch import Watch

    watch = Watch()
    named = threading.local()
    watch.doing = lambda: getattr(named, "call", "") or threading.current_thread().name.rstrip("_0123456789")
    make, handle = State.__init__, server.Endpoint._handle

    def made(self, *given):
        make(self, *given)
        watch.take(self)

    def handled(self, request):
        body = request.body()[:2000]
        action = request.headers.get("x-amz-target", "").rpartition(".")[2] or next(
            (part[7:].decode(errors="replace") for part in body.split(b"&") if part.startswith(b"Action=")),
            request.method,
        )
        named.call = f"{request.service} {action}"
        try:
            return handle(self, request)
        finally:
            named.call = ""

    State.__init__ = made
    server.Endpoint._handle = handled
    watch.begin()

    @atexit.register
    def report():
        text = json.dumps({"holds": watch.holds, "wrongs": watch.wrongs})
        Path(folder, f"{os.getpid()}.json").write_text(text)
