"""AWS's security policies for HTTPS listeners: which versions and ciphers each allows."""

from __future__ import annotations

from dataclasses import dataclass

from pavedroad.localcloud.errors import ServiceError

DEFAULT = "ELBSecurityPolicy-2016-08"

_TLS13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")


def _of_both(*suffixes: str) -> tuple[str, ...]:
    return tuple(f"ECDHE-{kind}-{suffix}" for suffix in suffixes for kind in ("ECDSA", "RSA"))


_GCM = _of_both("AES128-GCM-SHA256", "AES256-GCM-SHA384")
_CBC = _of_both("AES128-SHA256", "AES256-SHA384")
_SHA1 = _of_both("AES128-SHA", "AES256-SHA")
_RSA = ("AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA256")
_RSA_SHA1 = ("AES128-SHA", "AES256-SHA")
_ALL = _GCM + _CBC + _SHA1 + _RSA + _RSA_SHA1

_SERVED = frozenset(_GCM + _SHA1 + _RSA_SHA1 + ("AES128-GCM-SHA256", "AES256-GCM-SHA384"))
"""Those that Envoy's library has; it left out the CBC ciphers with SHA-2, which any client can do without."""

_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


@dataclass(frozen=True, slots=True)
class SslPolicy:
    name: str
    protocols: tuple[str, ...]
    """Oldest first."""
    ciphers: tuple[str, ...]


def _policy(name: str, oldest: int, newest: int, ciphers: tuple[str, ...]) -> SslPolicy:
    return SslPolicy(f"ELBSecurityPolicy-{name}", _VERSIONS[oldest : newest + 1], ciphers)


def _generation(version: str) -> tuple[SslPolicy, ...]:
    """The policies with TLS 1.3, of which there is a set with and one without post-quantum key exchange."""
    return (
        _policy(f"TLS13-1-3-{version}", 3, 3, _TLS13),
        _policy(f"TLS13-1-2-Res-{version}", 2, 3, _TLS13 + _GCM),
        _policy(f"TLS13-1-2-{version}", 2, 3, _TLS13 + _GCM + _CBC),
        _policy(f"TLS13-1-2-Ext1-{version}", 2, 3, _TLS13 + _GCM + _CBC + _RSA),
        _policy(f"TLS13-1-2-Ext2-{version}", 2, 3, _TLS13 + _ALL),
        _policy(f"TLS13-1-0-{version}", 0, 3, _TLS13 + _ALL),
    )


_POLICIES = {
    policy.name: policy
    for policy in (
        *_generation("2021-06"),
        _policy("TLS13-1-1-2021-06", 1, 3, _TLS13 + _ALL),
        *_generation("PQ-2025-09"),
        _policy("2016-08", 0, 2, _ALL),
        _policy("TLS-1-2-Ext-2018-06", 2, 2, _ALL),
        _policy("TLS-1-2-2017-01", 2, 2, _GCM + _CBC + _RSA),
        _policy("TLS-1-1-2017-01", 1, 2, _ALL),
        _policy("2015-05", 0, 2, _ALL),
        _policy("FS-2018-06", 0, 2, _GCM + _CBC + _SHA1),
        _policy("FS-1-1-2019-08", 1, 2, _GCM + _CBC + _SHA1),
        _policy("FS-1-2-2019-08", 2, 2, _GCM + _CBC + _SHA1),
        _policy("FS-1-2-Res-2019-08", 2, 2, _GCM + _CBC),
        _policy("FS-1-2-Res-2020-10", 2, 2, _GCM),
    )
}


def all_policies() -> tuple[SslPolicy, ...]:
    return tuple(_POLICIES.values())


def find(names: list[str]) -> tuple[SslPolicy, ...]:
    if missing := [name for name in names if name not in _POLICIES]:
        raise ServiceError("SSLPolicyNotFound", f"SSL policies '[{', '.join(missing)}]' not found")
    return tuple(_POLICIES[name] for name in dict.fromkeys(names))


def versions(name: str) -> tuple[str, str]:
    """The oldest and the newest."""
    protocols = _POLICIES[name].protocols
    return protocols[0], protocols[-1]


def served_ciphers(name: str) -> tuple[str, ...]:
    """Those for versions older than TLS 1.3, which has its own."""
    return tuple(cipher for cipher in _POLICIES[name].ciphers if cipher in _SERVED)
