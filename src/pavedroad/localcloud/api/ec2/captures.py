"""Images of instances: each instance rests (unless it need not), its disk becomes a layer, and it goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Protocol

from pavedroad.core.errors import PavedError
from pavedroad.localcloud.api.ec2.life import Life
from pavedroad.localcloud.state import State
from pavedroad.localcloud.wanted import GuestImage, GuestStatus, Layer
from pavedroad.localcloud.watch import Watch

_log = logging.getLogger(__name__)


class Capture(Protocol):
    """An image that is being made; the moto adapter's is one."""

    image_id: str
    instance_id: str
    rests: bool

    @property
    def life(self) -> Life | None:
        """The instance's; None where it is gone for good."""
        ...

    @property
    def source(self) -> GuestImage:
        """What the instance boots."""
        ...

    def finish(self, image: GuestImage) -> None: ...

    def fail(self, reason: str) -> None: ...


class Captures:
    """Level-triggered: what is under way is in the cloud's state, and goes on after a restart."""

    def __init__(
        self,
        state: State,
        under_way: Callable[[], Iterator[Capture]],
        guest: Callable[[str], GuestStatus | None],
        make_layer: Callable[[str], str],
    ) -> None:
        """`make_layer` gives the digest of the layer that the host has made of an instance's disk."""
        self._state = state
        self._under_way = under_way
        self._guest = guest
        self._make_layer = make_layer
        self._watch = Watch("captures", state, self.step)

    def start(self) -> None:
        self._watch.start()

    def stop(self) -> None:
        self._watch.stop()

    def step(self) -> None:
        with self._state.lock:
            ready = [capture for capture in list(self._under_way()) if self._is_ready(capture)]
        for capture in ready:
            self._capture(capture)

    def _is_ready(self, capture: Capture) -> bool:
        life = capture.life
        if life is None or not capture.rests or life.is_over:
            return True
        if not life.held:
            life.held = True
            self._state.touch()
        guest = self._guest(capture.instance_id)
        return guest is None or guest.state in ("exited", "failed")

    def _capture(self, capture: Capture) -> None:
        digest, reason = "", ""
        try:
            digest = self._make_layer(capture.instance_id)
        except PavedError as error:
            reason = error.sentence
        with self._state.changing():
            life = capture.life
            if digest:
                capture.finish(_image(capture.source, capture.image_id, digest))
            else:
                _log.warning("The image %s could not be made: %s", capture.image_id, reason)
                capture.fail(reason)
            if life is not None:
                life.release()


def _image(source: GuestImage, image_id: str, digest: str) -> GuestImage:
    """The disk over the layers that were only linked in."""
    shared = tuple(layer for layer in source.layers if layer.shared)
    disk = Layer(f"sha256:{digest}", ".", shared=False)
    return GuestImage(
        image_id, (*shared, disk), source.command, dict(source.environment), source.stop_seconds
    )
