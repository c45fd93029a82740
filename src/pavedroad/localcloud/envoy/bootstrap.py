"""What Envoy is started with: where to get everything else, and where to be asked how it does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pavedroad.localcloud.envoy.documents import Document, extension, typed

ADS_CLUSTER = "pavedroad-ads"


@dataclass(frozen=True, slots=True)
class Sockets:
    """The Unix sockets between the host and its Envoy, in a folder that only this user enters."""

    folder: Path

    @property
    def discovery(self) -> Path:
        return self.folder / "ads.sock"

    @property
    def admin(self) -> Path:
        return self.folder / "envoy.sock"

    @property
    def bootstrap(self) -> Path:
        return self.folder / "envoy.json"


def bootstrap(sockets: Sockets) -> Document:
    ads: Document = {"ads": {}, "resource_api_version": "V3"}
    return {
        "node": {"id": "pavedroad-host", "cluster": "pavedroad"},
        "admin": {"address": {"pipe": {"path": str(sockets.admin), "mode": 0o600}}},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": ADS_CLUSTER}}],
            },
            "cds_config": ads,
            "lds_config": ads,
        },
        "static_resources": {"clusters": [_discovery_cluster(sockets.discovery)]},
        # Who asks makes Envoy gather what its threads have counted, and nobody else does.
        "stats_flush_on_admin": True,
        "overload_manager": {
            "resource_monitors": [
                extension(
                    "envoy.resource_monitors.global_downstream_max_connections",
                    "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                    max_active_downstream_connections=100_000,
                )
            ]
        },
        "layered_runtime": {
            "layers": [
                # AWS's patterns may be longer than what Envoy takes for a sane expression by default.
                {"name": "static", "static_layer": {"re2.max_program_size.error_level": 1_000_000}},
            ]
        },
    }


def _discovery_cluster(socket: Path) -> Document:
    endpoint: Document = {"endpoint": {"address": {"pipe": {"path": str(socket)}}}}
    return {
        "name": ADS_CLUSTER,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": ADS_CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                explicit_http_config={"http2_protocol_options": {}},
            )
        },
    }
