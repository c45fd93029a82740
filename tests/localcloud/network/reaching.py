"""Instances that say whom they reach, and who reaches them."""

from __future__ import annotations

import sys
import urllib.request
from typing import Any

from tests.localcloud.machines import instance, run
from tests.localcloud.running import RunningCloud
from tests.waiting import eventually

ASKED, SERVED = 9000, 8080
"""Where the test asks it to reach somebody, and where it serves."""

PROGRAM = f"""#!{sys.executable}
import http.server, os, socket, threading, urllib.request
class Asked(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        address, slash, rest = self.path[1:].partition("/")
        try:
            if slash:
                answer = urllib.request.urlopen("http://" + address + "/" + rest, timeout=3).read()
            else:
                host, _, port = address.partition(":")
                socket.create_connection((host, int(port)), 1).close()
                answer = b"reached"
        except OSError as error:
            answer = ("not reached: " + str(error)).encode()
        self.reply(answer)
    def reply(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass
class Served(Asked):
    def do_GET(self):
        self.reply(self.client_address[0].encode())
servers = [(Asked, {ASKED}), (Served, {SERVED}), (Served, 8081)]
for kind, port in servers:
    server = http.server.ThreadingHTTPServer((os.environ["HOST"], port), kind)
    threading.Thread(target=server.serve_forever).start()
print("endpoint", os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"], flush=True)
threading.Event().wait()  # from Python 3.12 on, no thread begins once the main one has ended
"""


class Reaching:
    """An instance in these groups, that lets the test ask it."""

    def __init__(self, cloud: RunningCloud, *groups: str) -> None:
        self._cloud = cloud
        [self.id] = run(cloud, UserData=PROGRAM, SecurityGroupIds=[open_to_questions(cloud), *groups])
        self.address = ""

    def is_up(self) -> bool:
        self.address = instance(self._cloud, self.id).get("PrivateIpAddress", "")
        return bool(self.address) and self.reaches(f"{self.address}:{SERVED}")

    def asks(self, what: str) -> str:
        """What it gets for `address:port/path`, or whether it reaches `address:port`."""
        url = f"http://{self.address}:{ASKED}/{what}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()

    def reaches(self, place: str) -> bool:
        try:
            return self.asks(place) == "reached"
        except OSError:
            return False


def open_to_questions(cloud: RunningCloud) -> str:
    """A group that lets anybody ask, and its members answer; nothing may leave them for its sake."""
    ec2 = cloud.client("ec2")
    found = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["asked"]}])
    if found["SecurityGroups"]:
        return found["SecurityGroups"][0]["GroupId"]
    made = new_group(cloud, "asked", leave=False)
    let_in(cloud, made, ASKED, IpRanges=[{"CidrIp": "0.0.0.0/0"}])
    return made


def new_group(cloud: RunningCloud, name: str, *, leave: bool = True) -> str:
    ec2 = cloud.client("ec2")
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    made = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc["VpcId"])["GroupId"]
    if not leave:
        every = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        ec2.revoke_security_group_egress(GroupId=made, IpPermissions=every)
    return made


def permission(port: int, protocol: str = "tcp", **whom: Any) -> list[dict[str, Any]]:
    return [{"IpProtocol": protocol, "FromPort": port, "ToPort": port, **whom}]


def let_in(cloud: RunningCloud, group: str, port: int, protocol: str = "tcp", **whom: Any) -> None:
    cloud.client("ec2").authorize_security_group_ingress(
        GroupId=group, IpPermissions=permission(port, protocol, **whom)
    )


def all_up(*instances: Reaching) -> None:
    for one in instances:
        eventually(one.is_up, within=60)
