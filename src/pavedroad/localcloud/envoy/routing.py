"""The machine's load balancers: Envoy, what it is told, and the health that it is told by."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import httpx

from pavedroad.localcloud.envoy.admin import Admin
from pavedroad.localcloud.envoy.ads import DiscoveryServer
from pavedroad.localcloud.envoy.bootstrap import Sockets
from pavedroad.localcloud.envoy.builder import SnapshotBuilder, pool_names, pool_users
from pavedroad.localcloud.envoy.clusters import pool_arn
from pavedroad.localcloud.envoy.counters import traffic
from pavedroad.localcloud.envoy.health import Health
from pavedroad.localcloud.envoy.listeners import front_arn
from pavedroad.localcloud.envoy.matching import rule_flaw
from pavedroad.localcloud.envoy.prober import Prober
from pavedroad.localcloud.envoy.process import EnvoyProcess
from pavedroad.localcloud.envoy.refusals import refusal, refused_rule
from pavedroad.localcloud.envoy.snapshot import Kind
from pavedroad.localcloud.listening import Elsewhere
from pavedroad.localcloud.measured import Traffic
from pavedroad.localcloud.wanted import Front, Pool, ProbeState, Target, TargetStatus

_RETRY_SECONDS = 2.0
_DRAIN_POLL_SECONDS = 0.2
_BUILD_SHARE = 5
"""Health news wait for this many times what the last build took, so that floods of them stay cheap."""

_Key = tuple[str, str, int]
"""Of a target: its pool's ARN, its id and its port."""


class EnvoyRouting:
    """`home` keeps Envoy's log; the sockets go into `sockets`, a folder with a short path. With
    `from_balancers`, targets see requests and probes come from the balancer's addresses."""

    def __init__(self, home: Path, sockets: Path, *, from_balancers: bool = False) -> None:
        self._from_balancers = from_balancers
        self.on_change: Callable[[], None] = lambda: None
        self.routed = 0
        self._revision = 0
        self._step = 0
        self._unserved: deque[tuple[int, int]] = deque()
        self._pools: dict[str, Pool] = {}
        self._fronts: dict[str, Front] = {}
        self._gone: set[str] = set()
        self._active: dict[tuple[str, str, int], int] = {}
        self._carried: dict[_Key, int] = {}
        """The step in which Envoy was first told of each target that is healthy now."""
        self._shown: dict[_Key, Health] = {}
        self._builder = SnapshotBuilder(from_balancers=from_balancers)
        self._publication: asyncio.TimerHandle | None = None
        self._next_build = 0.0
        self._progress = asyncio.Event()
        self._chores: list[asyncio.Task[None]] = []
        places = Sockets(sockets)
        self._server = DiscoveryServer(places.discovery, self._progressed)
        self._process = EnvoyProcess(places, home / "envoy.log", self._progressed)
        self._admin = Admin(places.admin)
        self._prober = Prober(self._health_changed)
        self.elsewhere: Callable[[str], Elsewhere] = lambda _: Elsewhere()

    async def start(self) -> None:
        self._prober.elsewhere = self.elsewhere
        await self._server.start()
        self._process.start()
        self._chores = [
            asyncio.create_task(self._retry_refused(), name="retry refused listeners"),
            asyncio.create_task(self._count_draining(), name="count draining requests"),
        ]

    async def close(self) -> None:
        for chore in self._chores:
            chore.cancel()
        if self._publication:
            self._publication.cancel()
        self._prober.close()
        await self._process.close()
        await self._server.close()
        await self._admin.close()

    @property
    def pid(self) -> int | None:
        """Envoy's, while it runs."""
        return self._process.pid

    def apply(self, revision: int, pools: Iterable[Pool], fronts: Iterable[Front]) -> None:
        self._revision = revision
        self._unserved.append((self._step + 1, revision))
        self._pools = {pool.arn: pool for pool in pools}
        self._fronts = {front.arn: front for front in fronts}
        self._wake()
        users = pool_users(self._fronts.values()) if self._from_balancers else {}
        self._prober.apply(self._pools.values(), users)
        self._gone &= {target.address for pool in self._pools.values() for target in pool.targets}
        self._publish()
        there = {_key(pool, target) for pool in self._pools.values() for target in pool.targets}
        for known in (self._carried, self._shown):
            for key in known.keys() - there:
                del known[key]

    async def acknowledged(self, revision: int, timeout: float) -> bool:  # noqa: ASYNC109 - the caller's bound
        try:
            async with asyncio.timeout(timeout):
                while self._revision < revision:
                    await self._progress.wait()
                step = self._step
                while self._server.served < step:
                    await self._progress.wait()
        except TimeoutError:
            return False
        return True

    def statuses(self) -> list[TargetStatus]:
        return [self._status(pool, target) for pool in self._pools.values() for target in pool.targets]

    def refused(self) -> dict[str, str]:
        if self._process.trouble and not self._server.connected:
            return dict.fromkeys(self._fronts, self._process.trouble)
        return self._refusals(opening=True)

    def impaired(self) -> dict[str, str]:
        unserved = {
            front.arn: refused_rule(front, rule, why)
            for front in self._fronts.values()
            for rule in front.rules
            if (why := rule_flaw(rule))
        }
        return {**unserved, **self._refusals(opening=False)}

    def _refusals(self, *, opening: bool) -> dict[str, str]:
        """Of listeners, or of what they serve."""
        return {
            front.arn: refusal(kind, front, words)
            for (kind, name), words in self._server.refused().items()
            if (kind is Kind.LISTENER) is opening
            for front in self._concerned(kind, name)
        }

    async def traffic(self) -> Traffic | None:
        run = self._process.run
        try:
            await self._admin.gather()
            hosts = await self._admin.hosts()
            counted = await self._admin.counted()
        except httpx.HTTPError:
            return None
        if not run or run != self._process.run:
            return None
        pools, fronts = tuple(self._pools.values()), tuple(self._fronts.values())
        return await asyncio.to_thread(traffic, run, counted, hosts, pools, fronts)

    def guest_gone(self, address: str, because: str = "the instance's process has ended") -> None:
        self._gone.add(address)
        self._prober.guest_gone(address, because)
        self._publish()
        self.on_change()

    def _status(self, pool: Pool, target: Target) -> TargetStatus:
        """A target is said to be healthy once Envoy sends it requests, and not before."""
        key = _key(pool, target)
        health = self._prober.health(key) or Health()
        if health.state == "healthy" and self._server.connected and not self._is_carried(key):
            health = self._shown.get(key, Health())
        self._shown[key] = health
        active = self._active.get((pool.arn, target.reached_at, target.port))
        return TargetStatus(
            pool_arn=pool.arn,
            target_id=target.id,
            port=target.port,
            state=health.state,
            reason=health.reason,
            description=health.description,
            active=active if target.draining else None,
        )

    def _is_carried(self, key: _Key) -> bool:
        return key in self._carried and self._server.served >= self._carried[key]

    def _state(self, pool: Pool, target: Target) -> ProbeState:
        health = self._prober.health(_key(pool, target))
        return health.state if health else "initial"

    def _told_state(self, pool: Pool, target: Target) -> ProbeState:
        """The state, of which Envoy is being told."""
        key, state = _key(pool, target), self._state(pool, target)
        if state == "healthy":
            self._carried.setdefault(key, self._step)
        else:
            self._carried.pop(key, None)
        return state

    def _concerned(self, kind: Kind, name: str) -> list[Front]:
        if kind in {Kind.LISTENER, Kind.ROUTES}:
            return [front for front in self._fronts.values() if front.arn == front_arn(name)]
        if kind is Kind.SECRET:
            return [front for front in self._fronts.values() if name in _certificates(front)]
        return [front for front in self._fronts.values() if pool_arn(name) in pool_names(front)]

    def _publish(self) -> None:
        if self._publication:
            self._publication.cancel()
            self._publication = None
        began = time.monotonic()
        # Steps count what was published: revisions start anew when the one who counts them does.
        self._step += 1
        self._server.offer(
            self._builder.build(self._step, self._pools, self._fronts.values(), self._told_state, self._gone)
        )
        done = time.monotonic()
        self._next_build = done + (done - began) * _BUILD_SHARE

    def _health_changed(self, arn: str) -> None:
        pool = self._pools.get(arn)
        if pool:
            self._gone -= {
                target.address for target in pool.targets if self._state(pool, target) == "healthy"
            }
        if self._publication is None:
            wait = max(0.0, self._next_build - time.monotonic())
            self._publication = asyncio.get_running_loop().call_later(wait, self._publish)
        self.on_change()

    def _progressed(self) -> None:
        while self._unserved and self._unserved[0][0] <= self._server.served:
            _, self.routed = self._unserved.popleft()
        self._wake()
        self.on_change()

    def _wake(self) -> None:
        self._progress.set()
        self._progress = asyncio.Event()

    async def _retry_refused(self) -> None:
        while True:
            await asyncio.sleep(_RETRY_SECONDS)
            self._server.retry_refused()

    async def _count_draining(self) -> None:
        """Ask Envoy what is in flight, while something drains and Envoy knows that it does."""
        while True:
            await asyncio.sleep(_DRAIN_POLL_SECONDS)
            draining = {
                (pool.arn, target.reached_at, target.port)
                for pool in self._pools.values()
                for target in pool.targets
                if target.draining
            }
            counted: dict[tuple[str, str, int], int] = {}
            if draining and self._server.served >= self._step:
                with suppress(httpx.HTTPError):
                    active = Counter[tuple[str, str, int]]()
                    for (cluster, address, port), requests in (await self._admin.active()).items():
                        active[pool_arn(cluster), address, port] += requests
                    counted = {place: active[place] for place in draining}
            if counted != self._active:
                self._active = counted
                self.on_change()


def _key(pool: Pool, target: Target) -> _Key:
    return pool.arn, target.id, target.port


def _certificates(front: Front) -> set[str]:
    return {certificate.arn for certificate in front.tls.certificates} if front.tls else set()
