"""A cloud in memory that outlives the control process: it lives in the test, and is called over a socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener
from typing import Any

from pavedroad.core.checkpoints import Checkpoints
from tests.delivery.road import REGIONS, WatchedClouds


class FarCloudServer:
    """Answers calls of the cloud port from other processes, on an event loop of its own."""

    def __init__(self, socket: str) -> None:
        self.clouds = WatchedClouds()
        self._listener = Listener(socket, "AF_UNIX", backlog=64)
        self._loop = asyncio.new_event_loop()
        self._threads = [
            threading.Thread(target=self._loop.run_forever, daemon=True),
            threading.Thread(target=self._accept, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._listener.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._threads[0].join(10)
        self._loop.close()

    def run(self, work: Callable[[WatchedClouds], Awaitable[Any]]) -> Any:
        """Ask the cloud something from the test."""

        async def ask() -> Any:
            return await work(self.clouds)

        return asyncio.run_coroutine_threadsafe(ask(), self._loop).result(30)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept(),), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        with suppress(EOFError, OSError), connection:
            while True:
                region, method, args, kwargs = connection.recv()
                try:
                    call = getattr(self.clouds.region(region), method)
                    answer = self.run(lambda _, call=call, a=args, k=kwargs: call(*a, **k))
                    connection.send((True, answer))
                except Exception as error:
                    connection.send((False, error))


class FarCloud:
    """The cloud port, from a distance."""

    def __init__(self, socket: str, region: str, checkpoints: Checkpoints) -> None:
        self.region = region
        self.account = "000000000000"
        self._socket = socket
        self._checkpoints = checkpoints
        self._pool = ThreadPoolExecutor(8)

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with Client(self._socket, "AF_UNIX") as connection:
                connection.send((self.region, method, args, kwargs))
                went_well, answer = connection.recv()
            if not went_well:
                raise answer
            return answer

        async def over_there(*args: Any, **kwargs: Any) -> Any:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._pool, lambda: call(*args, **kwargs))
            self._checkpoints.reach(f"called {method}")
            return answer

        return over_there


class FarClouds:
    """Clouds that say which call they have just answered: `called set_weights`."""

    def __init__(self, socket: str, checkpoints: Checkpoints) -> None:
        self._clouds = {region: FarCloud(socket, region, checkpoints) for region in REGIONS}

    def region(self, name: str) -> FarCloud:
        return self._clouds[name]
