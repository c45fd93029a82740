"""A listener as Envoy's: one port at each of its addresses, its connections, and the pages it answers by
itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pavedroad.localcloud.envoy import tls
from pavedroad.localcloud.envoy.counting import counted_connections, counted_requests
from pavedroad.localcloud.envoy.documents import Document, extension
from pavedroad.localcloud.envoy.routes import FORWARDING, NODE, REDIRECTS, SERVER, SOURCE, error_page
from pavedroad.localcloud.wanted import Forward, Front, Tls

_HTTP = "envoy.extensions.filters.http"
_NETWORK = "envoy.extensions.filters.network"
_CONNECT_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Place:
    """All of a front that one of its listeners depends on. Rules come by route and certificates by
    themselves, so that changing them drains no connection. `zone` is empty for the balancer's own address;
    `names` are those that each certificate is for; `streams_to` is the cluster that gets connections as they
    are, empty where requests are looked at."""

    name: str
    routes: str
    address: str
    port: int
    zone: str
    idle_timeout_seconds: int
    client_keep_alive_seconds: int
    http2: bool
    server_header: bool
    tls: Tls | None
    streams_to: str = ""


def places(front: Front) -> Iterator[Place]:
    """The balancer's own address, and that of each node."""
    manners = front.manners
    for zone, address in (("", front.address), *((node.zone, node.address) for node in front.nodes)):
        yield Place(
            listener_name(front.arn, zone),
            front.arn,
            address,
            front.port,
            zone,
            front.idle_timeout_seconds,
            manners.client_keep_alive_seconds,
            manners.http2,
            manners.server_header,
            _without_contents(front.tls),
            _streams_to(front) if front.streams else "",
        )


def listener_name(front_arn: str, zone: str = "") -> str:
    return f"{front_arn}#{zone}" if zone else front_arn


def front_arn(name: str) -> str:
    """The front of a listener."""
    return name.partition("#")[0]


def _streams_to(front: Front) -> str:
    return next(
        arn for rule in front.rules if isinstance(rule.action, Forward) for arn in rule.action.weights
    )


def _without_contents(terms: Tls | None) -> Tls | None:
    """With the names of the certificates, whatever they hold."""
    if terms is None:
        return None
    return Tls(
        tuple(tls.Certificate(it.arn, it.names, "", "") for it in terms.certificates),
        terms.oldest,
        terms.newest,
        terms.ciphers,
    )


def listener(place: Place) -> Document:
    filters = [_stream(place)] if place.streams_to else [_remember(place.zone), _http(place)]
    document: Document = {
        "name": place.name,
        "address": {"socket_address": {"address": place.address, "port_value": place.port}},
        # A second program on the port must be an error, not a silent partner.
        "enable_reuse_port": False,
        "connection_balance_config": {"exact_balance": {}},
        "filter_chains": [{"filters": filters}],
    }
    if place.tls is not None:
        document["listener_filters"] = [tls.sniffer()]
        spoken = () if place.streams_to else ("h2", "http/1.1") if place.http2 else ("http/1.1",)
        chains = list(tls.chains(place.tls, spoken, filters))
        document["default_filter_chain"] = chains[0]
        document["filter_chains"] = chains[1:]
    return document


def _remember(zone: str) -> Document:
    """Who connects, and to which node, for the routes to look at."""
    peer: Document = {
        "text_format_source": {"inline_string": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"}
    }
    source: Document = {"object_key": SOURCE, "factory_key": "envoy.network.ip", "format_string": peer}
    node: Document = {
        "object_key": NODE,
        "factory_key": "envoy.string",
        "format_string": {"text_format_source": {"inline_string": zone or "-"}},
    }
    return extension(
        "envoy.filters.network.set_filter_state",
        f"{_NETWORK}.set_filter_state.v3.Config",
        on_new_connection=[source, node],
    )


def _http(place: Place) -> Document:
    return extension(
        "envoy.filters.network.http_connection_manager",
        f"{_NETWORK}.http_connection_manager.v3.HttpConnectionManager",
        codec_type="AUTO" if place.http2 else "HTTP1",
        stat_prefix="front",
        rds={
            "route_config_name": place.routes,
            "config_source": {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"},
        },
        http_filters=[
            extension("envoy.filters.http.header_to_metadata", f"{_HTTP}.header_to_metadata.v3.Config"),
            extension(
                "envoy.filters.http.lua",
                f"{_HTTP}.lua.v3.Lua",
                source_codes={
                    FORWARDING: {"inline_string": _script("forwarding")},
                    REDIRECTS: {"inline_string": _script("redirects")},
                },
            ),
            extension("envoy.filters.http.router", f"{_HTTP}.router.v3.Router", suppress_envoy_headers=True),
        ],
        common_http_protocol_options={
            "idle_timeout": f"{place.idle_timeout_seconds}s",
            "max_connection_duration": f"{place.client_keep_alive_seconds}s",
        },
        http_protocol_options={
            "accept_http_10": True,
            "default_host_for_http_10": place.address,
            "header_key_format": _as_written(),
        },
        server_header_transformation="PASS_THROUGH",
        max_request_headers_kb=64,
        request_headers_timeout="60s",
        use_remote_address=True,
        # The routes append it: Envoy itself would put the machine's outer address for a loopback client.
        skip_xff_append=True,
        # Nobody counts as inside, so that no client's x-envoy headers are believed.
        internal_address_config={"cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]},
        generate_request_id=False,
        access_log=[counted_requests(place.name)],
        upgrade_configs=[{"upgrade_type": "websocket"}],
        local_reply_config={"mappers": _own_pages(place.server_header)},
    )


def _stream(place: Place) -> Document:
    return extension(
        "envoy.filters.network.tcp_proxy",
        f"{_NETWORK}.tcp_proxy.v3.TcpProxy",
        stat_prefix="front",
        cluster=place.streams_to,
        idle_timeout=f"{place.idle_timeout_seconds}s",
        max_connect_attempts=_CONNECT_ATTEMPTS,
        access_log=[counted_connections(place.name)],
    )


def _as_written() -> Document:
    """Header names reach the other side in the case in which they were written."""
    return {
        "stateful_formatter": extension(
            "preserve_case",
            "envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig",
            forward_reason_phrase=True,
        )
    }


def _own_pages(server_header: bool) -> list[Document]:
    """What failed, in a balancer's words: no target 503, a broken target 502, a silent one 504."""
    return [
        _page(503, server_header, flags=["UH", "NC", "UO"]),
        _page(502, server_header, flags=["UF", "UC", "UR", "LR", "UPE", "URX"]),
        _page(504, server_header, flags=["UT", "SI"], status=504),
    ]


def _page(answer: int, server_header: bool, flags: list[str], status: int | None = None) -> Document:
    matches: Document = {"response_flag_filter": {"flags": flags}}
    if status is not None:
        same: Document = {
            "status_code_filter": {
                "comparison": {"op": "EQ", "value": {"default_value": status, "runtime_key": "unused"}}
            }
        }
        matches = {"and_filter": {"filters": [matches, same]}}
    server: Document = {
        "header": {"key": "server", "value": SERVER},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    return {
        "filter": matches,
        "status_code": answer,
        "headers_to_add": [server] if server_header else [],
        "body": {"inline_string": error_page(answer)},
        "body_format_override": {
            "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
            "content_type": "text/html",
        },
    }


@cache
def _script(name: str) -> str:
    return Path(__file__).with_name(f"{name}.lua").read_text()
