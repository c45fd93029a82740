"""Three balancers that can be told to send everything to another version: Envoy as the private cloud runs
it, nginx by reload, HAProxy by its runtime API."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pavedroad.localcloud.envoy.routing import EnvoyRouting
from pavedroad.localcloud.wanted import Forward, Front, Pool, Probe, Rule, Target
from tests.localcloud.running import running_cloud

Versions = dict[str, list[str]]
"""Addresses by version; all listen on `PORT`."""
PORT = 8080
START_SECONDS = 20.0


class Proxy(Protocol):
    """Listens on `PORT` at `address`, which a start that has addresses of its own may change. `flip` returns
    when the balancer says that it is done."""

    name: str
    address: str

    async def start(self, versions: Versions, first: str, folder: Path) -> None: ...

    async def flip(self, version: str) -> None: ...

    async def stop(self) -> None: ...


class EnvoyByAds:
    name = "Envoy by ADS (Pavedroad)"

    def __init__(self, address: str) -> None:
        self.address = address
        self._revision = 0
        self._pools: dict[str, Pool] = {}
        self._front = Front("arn:front", "", PORT, ())
        self._routing: EnvoyRouting | None = None

    async def start(self, versions: Versions, first: str, folder: Path) -> None:
        probe = Probe("HTTP", "/", 5, 2, 2, 2, "200")
        self._pools = {
            version: Pool(
                f"arn:{version}",
                "HTTP",
                probe,
                tuple(Target(place, place, PORT, PORT, "us-east-1a", draining=False) for place in addresses),
            )
            for version, addresses in versions.items()
        }
        self._front = Front("arn:front", self.address, PORT, ())
        self._routing = EnvoyRouting(folder, folder)
        await self._routing.start()
        await self.flip(first)
        async with asyncio.timeout(START_SECONDS):
            while any(status.state != "healthy" for status in self._routing.statuses()):
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)

    async def flip(self, version: str) -> None:
        assert self._routing
        self._revision += 1
        weights = {pool.arn: int(name == version) for name, pool in self._pools.items()}
        front = Front(self._front.arn, self._front.address, PORT, (Rule(1, (), Forward(weights)),))
        self._routing.apply(self._revision, self._pools.values(), [front])
        assert await self._routing.acknowledged(self._revision, START_SECONDS), self._routing.refused()

    async def stop(self) -> None:
        if self._routing:
            await self._routing.close()


@dataclass(frozen=True, slots=True)
class Missing:
    """A balancer to compare with that is not on this machine."""

    name: str
    package: str


class ModifyListener:
    """The whole way: boto3, the private cloud's API process, its host process, Envoy's acknowledgement."""

    name = "ModifyListener by boto3"

    def __init__(self) -> None:
        self.address = ""
        self._running = ExitStack()
        self._elb: Any = None
        self._listener = ""
        self._targets: dict[str, str] = {}

    async def start(self, versions: Versions, first: str, folder: Path) -> None:
        cloud = self._running.enter_context(running_cloud(folder / "cloud"))
        self._elb = cloud.client("elbv2")
        await asyncio.to_thread(self._build, cloud.client("ec2"), versions, first)
        async with asyncio.timeout(START_SECONDS):
            while not await asyncio.to_thread(self._is_healthy):
                await asyncio.sleep(0.1)

    async def flip(self, version: str) -> None:
        await asyncio.to_thread(
            self._elb.modify_listener, ListenerArn=self._listener, DefaultActions=self._actions(version)
        )

    async def stop(self) -> None:
        await asyncio.to_thread(self._running.close)

    def _build(self, ec2: Any, versions: Versions, first: str) -> None:
        subnets = ec2.describe_subnets()["Subnets"]
        for version, places in versions.items():
            made = self._elb.create_target_group(
                Name=version,
                Protocol="HTTP",
                Port=PORT,
                VpcId=subnets[0]["VpcId"],
                TargetType="ip",
                HealthCheckIntervalSeconds=5,
            )
            arn = self._targets[version] = made["TargetGroups"][0]["TargetGroupArn"]
            targets = [{"Id": place, "Port": PORT, "AvailabilityZone": "all"} for place in places]
            self._elb.register_targets(TargetGroupArn=arn, Targets=targets)
        ids = [subnet["SubnetId"] for subnet in subnets]
        balancer = self._elb.create_load_balancer(Name="flips", Subnets=ids)["LoadBalancers"][0]
        self.address = balancer["DNSName"]
        listener = self._elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=PORT,
            DefaultActions=self._actions(first),
        )
        self._listener = listener["Listeners"][0]["ListenerArn"]

    def _actions(self, version: str) -> list[dict[str, Any]]:
        shares = [
            {"TargetGroupArn": arn, "Weight": 100 * (name == version)} for name, arn in self._targets.items()
        ]
        return [{"Type": "forward", "ForwardConfig": {"TargetGroups": shares}}]

    def _is_healthy(self) -> bool:
        health = [self._elb.describe_target_health(TargetGroupArn=arn) for arn in self._targets.values()]
        states = [
            one["TargetHealth"]["State"] for group in health for one in group["TargetHealthDescriptions"]
        ]
        return set(states) == {"healthy"}


class NginxByReload:
    name = "nginx -s reload"

    def __init__(self, address: str) -> None:
        self.address = address
        self._program = program("nginx")
        self._folder = Path()
        self._versions: Versions = {}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, versions: Versions, first: str, folder: Path) -> None:
        self._folder, self._versions = folder, versions
        self._configure(first)
        self._process = await asyncio.create_subprocess_exec(*self._command())
        await listening(self.address)

    async def flip(self, version: str) -> None:
        self._configure(version)
        reload = await asyncio.create_subprocess_exec(*self._command(), "-s", "reload")
        assert await reload.wait() == 0

    async def stop(self) -> None:
        await end(self._process)

    def _command(self) -> list[str]:
        return [self._program, "-p", str(self._folder), "-c", "nginx.conf", "-e", "error.log"]

    def _configure(self, version: str) -> None:
        servers = "".join(f"    server {address}:{PORT};\n" for address in self._versions[version])
        (self._folder / "nginx.conf").write_text(
            "daemon off;\nworker_processes 2;\npid nginx.pid;\nerror_log error.log;\n"
            "events { worker_connections 1024; }\n"
            "http {\n  access_log off;\n  keepalive_requests 1000000000;\n"
            f"  upstream service {{\n{servers}    keepalive 64;\n    keepalive_requests 1000000000;\n  }}\n"
            f"  server {{\n    listen {self.address}:{PORT};\n    location / {{\n"
            "      proxy_pass http://service;\n      proxy_http_version 1.1;\n"
            '      proxy_set_header Connection "";\n    }\n  }\n}\n'
        )


class HaproxyByRuntime:
    name = "HAProxy's runtime API"

    def __init__(self, address: str) -> None:
        self.address = address
        self._program = program("haproxy")
        self._socket = Path()
        self._versions: Versions = {}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, versions: Versions, first: str, folder: Path) -> None:
        self._versions, self._socket = versions, folder / "haproxy.sock"
        servers = "".join(
            f"  server {version}-{number} {place}:{PORT} weight {100 * (version == first)}\n"
            for version, places in versions.items()
            for number, place in enumerate(places)
        )
        (folder / "haproxy.cfg").write_text(
            f"global\n  nbthread 2\n  stats socket {self._socket} level admin\n"
            "defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n"
            f"listen service\n  bind {self.address}:{PORT}\n  balance roundrobin\n{servers}"
        )
        self._process = await asyncio.create_subprocess_exec(
            self._program, "-q", "-db", "-f", str(folder / "haproxy.cfg")
        )
        await listening(self.address)

    async def flip(self, version: str) -> None:
        commands = ";".join(
            f"set weight service/{name}-{number} {100 * (name == version)}"
            # The new ones first, so that there is never none.
            for name in sorted(self._versions, key=lambda name: name != version)
            for number in range(len(self._versions[name]))
        )
        reader, writer = await asyncio.open_unix_connection(str(self._socket))
        writer.write(f"{commands}\n".encode())
        answer = (await reader.read()).strip()
        writer.close()
        assert not answer, answer

    async def stop(self) -> None:
        await end(self._process)


def program(name: str) -> str:
    """Its path; packages for servers often put it where an ordinary user's PATH does not look."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin") or ""


async def listening(address: str) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection(address, PORT)
                writer.close()
                return
            await asyncio.sleep(0.05)


async def end(process: asyncio.subprocess.Process | None) -> None:
    if process and process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()


def proxies(address: str) -> tuple[list[Proxy], list[Missing]]:
    """Those that can run here, and those that are missing."""
    present: list[Proxy] = [EnvoyByAds(address), ModifyListener()]
    missing: list[Missing] = []
    others: list[tuple[type[NginxByReload | HaproxyByRuntime], str, str]] = [
        (NginxByReload, "nginx", "nginx-light"),
        (HaproxyByRuntime, "haproxy", "haproxy"),
    ]
    for kind, name, package in others:
        if program(name):
            present.append(kind(address))
        else:
            missing.append(Missing(kind.name, package))
    return present, missing
