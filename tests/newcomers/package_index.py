"""A company's own package index: over TLS, with a certificate authority of its own, for those who say who
they are, and behind a proxy."""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
import socket
import ssl
import stat
import threading
import zipfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "packages.company.test"
"""Known to the proxy alone."""


def wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> str:
    """Writes one, and gives its line of a lock. Files of a folder `*.data/scripts` can be executed."""
    about = f"{name}-{version}.dist-info"
    files = files | {
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{about}/RECORD"))
    place = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(place, "w") as archive:
        for path, text in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (stat.S_IFREG | (0o755 if "/scripts/" in path else 0o644)) << 16
            archive.writestr(entry, text)
    return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(place.read_bytes()).hexdigest()}\n"


@dataclass
class Index:
    """What listens, and what came."""

    port: int
    authority: Path
    asked: list[str] = field(default_factory=list[str])

    def url(self, user: str = "", host: str = "127.0.0.1") -> str:
        place = host if host == HOST else f"{host}:{self.port}"
        return f"https://{user and f'{user}@'}{place}/simple"


@contextmanager
def index(folder: Path, wheels: Path, user: str = "") -> Generator[Index]:
    """Serves the wheels; only to that `name:password`, where there is one."""
    authority, chain = _certificates(folder)
    wanted = f"Basic {base64.b64encode(user.encode()).decode()}"
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if user and self.headers["Authorization"] != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            name = self.path.strip("/").rpartition("/")[2]
            if name.endswith(".whl") and (wheels / name).exists():
                self._send((wheels / name).read_bytes(), "application/octet-stream")
                return
            links = "".join(f'<a href="/files/{it.name}">{it.name}</a>' for it in wheels.glob(f"{name}-*"))
            self._send(f"<html><body>{links}</body></html>".encode(), "text/html")

        def _send(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        try:
            yield Index(server.server_port, authority, asked)
        finally:
            server.shutdown()


@contextmanager
def proxy(to: int, user: str = "") -> Generator[tuple[str, list[str]]]:
    """A forward proxy's URL, and what it was asked to connect to; all of it is at that port."""
    asked: list[str] = []
    wanted = f"Basic {base64.b64encode(user.encode()).decode()}"

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append(self.path)
            if user and self.headers["Proxy-Authorization"] != wanted:
                self.send_error(407)
                return
            with socket.create_connection(("127.0.0.1", to)) as there:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=_pass_on, args=(there, self.connection))
                back.start()
                _pass_on(self.connection, there)
                back.join()
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        try:
            yield f"http://{user and f'{user}@'}127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()


def _pass_on(come: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while some := come.recv(65536):
            to.sendall(some)
    with suppress(OSError):
        to.shutdown(socket.SHUT_WR)


def _certificates(folder: Path) -> tuple[Path, Path]:
    """The authority's, and a server's with its key."""
    ours, theirs = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A company's own authority")])
    now = datetime.datetime.now(datetime.UTC)

    def made(subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )

    authority = made(name, ours.public_key()).add_extension(x509.BasicConstraints(True, None), critical=True)
    place = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    server = made(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]), theirs.public_key()
    ).add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST), place]), critical=False)
    pem = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(authority.sign(ours, hashes.SHA256()).public_bytes(pem))
    key = theirs.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(server.sign(ours, hashes.SHA256()).public_bytes(pem) + key)
    return folder / "authority.pem", folder / "server.pem"
