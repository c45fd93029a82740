"""Strangers at the real cloud: pages in a real browser, and other users of the machine."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from playwright.sync_api import Page

from tests.browsers import chromium
from tests.localcloud.running import RunningCloud, running_cloud
from tests.waiting import eventually

OLD_SIGNATURE = (
    "Version=2016-11-15&AWSAccessKeyId=any&SignatureVersion=2&SignatureMethod=HmacSHA256&Signature=x"
    "&Expires=2100-01-01"
)
PAGE = """<!doctype html><title>trying</title><iframe name=frame></iframe>
<form method=post target=frame><input name=Action value=CreateKeyPair><input name=KeyName value=form>%s</form>
<script>
const endpoint = new URLSearchParams(location.search).get("endpoint"), rest = %r;
const address = name => `${endpoint}/?Action=CreateKeyPair&KeyName=${name}&${rest}`;
const image = new Promise(done => {
  const it = new Image(); it.onload = it.onerror = done; it.src = address("image"); });
const bare = new Promise(done => {
  const it = new Image(); it.referrerPolicy = "no-referrer"; it.onload = it.onerror = done;
  it.src = address("bare"); });
const body = new URLSearchParams(address("fetch").split("?")[1]);
const simple = fetch(`${endpoint}/`, {method: "POST", mode: "no-cors", body}).catch(() => {});
const asked = fetch(address("asked"), {headers: {"X-Amz-Date": "now"}}).catch(() => {});
const fault = fetch(`${endpoint}/_pavedroad/faults`, {method: "POST", mode: "no-cors",
  body: '{"kind": "zone-down", "target": "us-east-1a"}'}).catch(() => {});
const form = new Promise(done => {
  document.querySelector("iframe").onload = done;
  const it = document.querySelector("form"); it.action = endpoint + "/"; it.submit(); });
Promise.all([image, bare, simple, asked, fault, form]).then(() => { document.title = "tried"; });
</script>"""


@contextmanager
def served(content: str) -> Generator[int]:
    """A site of somebody's: its port, at every name of this machine."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def open_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    with running_cloud(tmp_path_factory.mktemp("open") / "home", "--open") as cloud:
        yield cloud


def key_pairs(cloud: RunningCloud) -> set[str]:
    return {it["KeyName"] for it in cloud.client("ec2").describe_key_pairs()["KeyPairs"]}


def try_all(page: Page, site: str, endpoint: str) -> None:
    page.goto(f"{site}/?endpoint={endpoint}")
    page.wait_for_function("document.title === 'tried'")


def test_no_page_does_anything_even_where_any_credentials_do(open_cloud: RunningCloud) -> None:
    fields = "".join(
        f"<input name={name} value={value}>"
        for name, value in (it.split("=") for it in OLD_SIGNATURE.split("&"))
    )
    address = f"{open_cloud.endpoint}/?Action=CreateKeyPair&KeyName=own&{OLD_SIGNATURE}"
    assert httpx.get(address, trust_env=False).status_code == 200  # what the page asks is done for others
    with served(PAGE % (fields, OLD_SIGNATURE)) as port, chromium() as browser:
        page = browser.new_page()
        # Another site, and another port of this one.
        for site, host in (
            ("127.0.0.1", "localhost"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
        ):
            try_all(page, f"http://{site}:{port}", f"http://{host}:{open_cloud.port}")
        assert key_pairs(open_cloud) == {"own"}
        assert httpx.get(f"{open_cloud.endpoint}/_pavedroad/faults", trust_env=False).json()["faults"] == []
        page.goto(f"{open_cloud.endpoint}/?Action=CreateKeyPair&KeyName=typed&{OLD_SIGNATURE}")
        assert key_pairs(open_cloud) == {"own", "typed"}  # the address bar is its user's


def test_a_presigned_address_opens_in_a_browser(cloud: RunningCloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="to-be-seen")
    s3.put_object(Bucket="to-be-seen", Key="page", Body=b"<h1>seen</h1>", ContentType="text/html")
    address = s3.generate_presigned_url("get_object", Params={"Bucket": "to-be-seen", "Key": "page"})
    with chromium() as browser:
        page = browser.new_page()
        page.goto(address)
        assert page.inner_text("h1") == "seen"
        page.goto(address.split("?")[0])
        assert "AccessDenied" in page.content()


def test_the_open_cloud_says_so_and_takes_any_key(open_cloud: RunningCloud, cloud: RunningCloud) -> None:
    assert open_cloud.health["credentials"] == "any (open)"
    assert cloud.health["credentials"] == "signed by a key of this cloud"
    address = f"?Action=DescribeVpcs&{OLD_SIGNATURE}"
    assert httpx.get(f"{open_cloud.endpoint}/{address}", trust_env=False).status_code == 200
    assert httpx.get(f"{cloud.endpoint}/{address}", trust_env=False).status_code == 401


needs_another_user = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="only root can be another user here: run this as root, with setpriv (util-linux), to see it",
)


def by_nobody(*command: str) -> subprocess.CompletedProcess[str]:
    own = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    return subprocess.run([*own, *command], capture_output=True, text=True, check=False, cwd="/")


def sockets_of(cloud: RunningCloud) -> list[Path]:
    """The Unix sockets that its processes listen at."""
    processes = psutil.Process(cloud.pid).children(recursive=True)
    found = {it.laddr for one in processes for it in one.net_connections("unix") if it.laddr}
    return [Path(str(it)) for it in found if str(it).startswith("/")]


def test_what_is_a_clouds_own_is_its_users_alone(cloud: RunningCloud) -> None:
    cloud.client("elbv2").describe_load_balancers()
    assert stat.S_IMODE(cloud.home.stat().st_mode) == 0o700
    assert stat.S_IMODE((cloud.home / "key.json").stat().st_mode) == 0o600
    sockets = eventually(lambda: sockets_of(cloud)) or []
    assert {stat.S_IMODE(it.parent.stat().st_mode) for it in sockets} == {0o700}


def test_the_key_is_in_no_arguments_and_no_log(cloud: RunningCloud) -> None:
    processes = [psutil.Process(cloud.pid), *psutil.Process(cloud.pid).children(recursive=True)]
    assert not [one for one in processes if cloud.key.secret_access_key in " ".join(one.cmdline())]
    assert cloud.key.secret_access_key not in cloud.log


@needs_another_user
def test_another_user_of_the_machine_is_a_stranger(cloud: RunningCloud) -> None:
    assert by_nobody("true").returncode == 0
    assert by_nobody("cat", str(cloud.home / "key.json")).returncode != 0
    for socket in sockets_of(cloud):
        refused = by_nobody("curl", "-s", "--unix-socket", str(socket), "http://envoy/server_info")
        assert (refused.returncode, refused.stdout) == (7, "")
    listening = [
        it.laddr.port
        for one in psutil.Process(cloud.pid).children(recursive=True)
        if "envoy" in one.name()
        for it in one.net_connections("tcp")
        if it.status == psutil.CONN_LISTEN
    ]
    for port in listening:  # balancers' listeners: none is Envoy's administration
        answer = by_nobody("curl", "-s", "-m", "5", f"http://127.0.0.1:{port}/server_info")
        assert "command_line_options" not in answer.stdout
    address = f"{cloud.endpoint}/?Action=DescribeVpcs&{OLD_SIGNATURE}"
    said = by_nobody("curl", "-s", "--noproxy", "*", address).stdout
    assert "AuthFailure" in said
