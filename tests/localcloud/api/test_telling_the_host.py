"""The host is told what is wanted for as long as the cloud runs, whatever fails in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from pavedroad.localcloud.api import host_link
from pavedroad.localcloud.api.host_link import HostLink
from pavedroad.localcloud.api.unix_http import UnixConnection
from tests.waiting import eventually


class Telling(HostLink):
    """Reported to by a host that is there; cannot put into words what is wanted while it is `broken`."""

    broken = True
    sent = 0

    def _has_to_send(self) -> bool:
        return self._closed.is_set() or not self.sent

    def _send(self, connection: UnixConnection) -> None:
        if self.broken:
            raise RuntimeError("dictionary changed size during iteration")
        self.sent += 1


def test_an_error_of_our_own_does_not_end_the_telling_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_link, "_REFUSED_SECONDS", 0.01)
    link = Telling(tmp_path / "no.sock")
    link.start()
    try:
        assert "RuntimeError" in eventually(lambda: link.failure)
        link.broken = False
        eventually(lambda: link.sent and not link.failure)
    finally:
        link.close()
