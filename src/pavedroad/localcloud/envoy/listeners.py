"""A listener as Envoy's: one port, its connections, and the pages it answers by itself."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pavedroad.localcloud.envoy.documents import Document, extension
from pavedroad.localcloud.envoy.routes import REDIRECTS, SERVER, SOURCE, error_page

_KEEP_ALIVE = "3600s"
_HTTP = "envoy.extensions.filters.http"
_NETWORK = "envoy.extensions.filters.network"


Place = tuple[str, str, int]
"""All of a front that its listener depends on: ARN, address, port. Rules and timeouts come by route, so
that changing them never drains connections."""


def listener(place: Place) -> Document:
    arn, address, port = place
    return {
        "name": arn,
        "address": {"socket_address": {"address": address, "port_value": port}},
        # A second program on the port must be an error, not a silent partner.
        "enable_reuse_port": False,
        "connection_balance_config": {"exact_balance": {}},
        "filter_chains": [{"filters": [_remember_source(), _http(arn, address)]}],
    }


def _remember_source() -> Document:
    peer: Document = {
        "text_format_source": {"inline_string": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"}
    }
    value: Document = {"object_key": SOURCE, "factory_key": "envoy.network.ip", "format_string": peer}
    return extension(
        "envoy.filters.network.set_filter_state",
        f"{_NETWORK}.set_filter_state.v3.Config",
        on_new_connection=[value],
    )


def _http(arn: str, address: str) -> Document:
    return extension(
        "envoy.filters.network.http_connection_manager",
        f"{_NETWORK}.http_connection_manager.v3.HttpConnectionManager",
        codec_type="AUTO",
        stat_prefix="front",
        rds={
            "route_config_name": arn,
            "config_source": {"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"},
        },
        http_filters=[
            extension(
                "envoy.filters.http.lua",
                f"{_HTTP}.lua.v3.Lua",
                source_codes={REDIRECTS: {"inline_string": _redirect_script()}},
            ),
            extension("envoy.filters.http.router", f"{_HTTP}.router.v3.Router", suppress_envoy_headers=True),
        ],
        common_http_protocol_options={"idle_timeout": _KEEP_ALIVE},
        http_protocol_options={
            "accept_http_10": True,
            "default_host_for_http_10": address,
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
        upgrade_configs=[{"upgrade_type": "websocket"}],
        local_reply_config={"mappers": _own_pages()},
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


def _own_pages() -> list[Document]:
    """What failed, in a balancer's words: no target 503, a broken target 502, a silent one 504."""
    return [
        _page(503, flags=["UH", "NC", "UO"]),
        _page(502, flags=["UF", "UC", "UR", "LR", "UPE", "URX"]),
        _page(504, flags=["UT", "SI"], status=504),
    ]


def _page(answer: int, flags: list[str], status: int | None = None) -> Document:
    matches: Document = {"response_flag_filter": {"flags": flags}}
    if status is not None:
        same: Document = {
            "status_code_filter": {
                "comparison": {"op": "EQ", "value": {"default_value": status, "runtime_key": "unused"}}
            }
        }
        matches = {"and_filter": {"filters": [matches, same]}}
    return {
        "filter": matches,
        "status_code": answer,
        "headers_to_add": [
            {"header": {"key": "server", "value": SERVER}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        ],
        "body": {"inline_string": error_page(answer)},
        "body_format_override": {
            "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
            "content_type": "text/html",
        },
    }


@cache
def _redirect_script() -> str:
    return Path(__file__).with_name("redirects.lua").read_text()
