"""Envoy's aggregated discovery service over gRPC: the one module that touches gRPC and Envoy's messages."""
# The generated modules carry no types.
# pyright: basic, reportMissingTypeStubs=false, reportAttributeAccessIssue=false

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.access_loggers.stats.v3 import stats_pb2 as _stats
from envoy.extensions.filters.http.header_to_metadata.v3 import header_to_metadata_pb2 as _header_to_metadata
from envoy.extensions.filters.http.lua.v3 import lua_pb2 as _lua
from envoy.extensions.filters.http.router.v3 import router_pb2 as _router
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2 as _tls_inspector
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as _http_connection_manager,
)
from envoy.extensions.filters.network.set_filter_state.v3 import set_filter_state_pb2 as _set_filter_state
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2 as _tcp_proxy
from envoy.extensions.http.header_formatters.preserve_case.v3 import preserve_case_pb2 as _preserve_case
from envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2 as _previous_hosts
from envoy.extensions.transport_sockets.proxy_protocol.v3 import (
    upstream_proxy_protocol_pb2 as _proxy_protocol,
)
from envoy.extensions.transport_sockets.raw_buffer.v3 import raw_buffer_pb2 as _raw_buffer
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2 as _tls
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2 as _http_protocol_options
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from google.protobuf import json_format

from pavedroad.localcloud.envoy.discovery import Asked, Conversation, Good, Told
from pavedroad.localcloud.envoy.documents import Document
from pavedroad.localcloud.envoy.snapshot import EMPTY, Kind, Resource, Snapshot

_MESSAGES: dict[Kind, Any] = {
    Kind.CLUSTER: cluster_pb2.Cluster,
    Kind.LISTENER: listener_pb2.Listener,
    Kind.ROUTES: route_pb2.RouteConfiguration,
    Kind.SECRET: secret_pb2.Secret,
}
EXTENSIONS = (
    _header_to_metadata,
    _http_connection_manager,
    _http_protocol_options,
    _lua,
    _preserve_case,
    _previous_hosts,
    _proxy_protocol,
    _raw_buffer,
    _router,
    _set_filter_state,
    _stats,
    _tcp_proxy,
    _tls,
    _tls_inspector,
)
"""Imported so that the documents' typed extensions can be parsed."""

_UNBOUNDED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class DiscoveryServer(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):
    """Serves the newest snapshot to the one Envoy of this host, over a Unix socket."""

    def __init__(self, socket: Path, progressed: Callable[[], None]) -> None:
        self._socket = socket
        self._progressed = progressed
        self._snapshot = EMPTY
        self._good: Good = {}
        self._conversation: Conversation | None = None
        self._server: Any = None

    async def start(self) -> None:
        server = grpc.aio.server(options=_UNBOUNDED)
        ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(self, server)
        server.add_insecure_port(f"unix:{self._socket}")
        await server.start()
        self._server = server

    async def close(self) -> None:
        if self._server is not None:
            await self._server.stop(grace=None)

    @property
    def connected(self) -> bool:
        return self._conversation is not None

    @property
    def served(self) -> int:
        """The step that the connected Envoy has taken in full; 0 while none is connected."""
        return self._conversation.served if self._conversation else 0

    def offer(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        for kind, name in [(kind, name) for kind, name in self._good if name not in snapshot.of(kind)]:
            del self._good[kind, name]
        if self._conversation:
            self._conversation.want(snapshot)

    def refused(self) -> dict[tuple[Kind, str], str]:
        return self._conversation.refused() if self._conversation else {}

    def retry_refused(self) -> None:
        if self._conversation:
            self._conversation.retry_refused()

    async def DeltaAggregatedResources(self, request_iterator: AsyncIterator[Any], context: Any) -> None:  # noqa: N802
        outgoing: asyncio.Queue[Told | None] = asyncio.Queue()
        conversation = Conversation(outgoing.put_nowait, self._progressed, self._good)
        conversation.want(self._snapshot)
        self._conversation = conversation
        listening = asyncio.create_task(_listen(request_iterator, conversation, outgoing))
        try:
            while (told := await outgoing.get()) is not None:
                try:
                    response = _response(told)
                except json_format.ParseError as error:
                    # What Envoy could not even be told counts as refused by it.
                    conversation.hear(Asked(told.kind, nonce=told.nonce, error=str(error)))
                else:
                    await context.write(response)
        finally:
            listening.cancel()
            if self._conversation is conversation:
                self._conversation = None
                self._progressed()


async def _listen(
    requests: AsyncIterator[Any], conversation: Conversation, outgoing: asyncio.Queue[Told | None]
) -> None:
    try:
        async for request in requests:
            conversation.hear(
                Asked(
                    kind=Kind(request.type_url),
                    subscribe=tuple(request.resource_names_subscribe),
                    unsubscribe=tuple(request.resource_names_unsubscribe),
                    known=dict(request.initial_resource_versions),
                    nonce=request.response_nonce,
                    error=request.error_detail.message if request.HasField("error_detail") else "",
                )
            )
    finally:
        outgoing.put_nowait(None)


def _response(told: Told) -> Any:
    response = discovery_pb2.DeltaDiscoveryResponse(type_url=told.kind, nonce=told.nonce)
    if told.removed:
        response.removed_resources.append(told.removed)
    if told.resource is not None:
        response.resources.append(_packed(told.kind, told.resource))
    return response


def _packed(kind: Kind, resource: Resource) -> Any:
    packed = discovery_pb2.Resource(name=resource.name, version=resource.version)
    packed.resource.Pack(_parsed(kind, resource.document))
    return packed


def _parsed(kind: Kind, document: Document) -> Any:
    if kind is not Kind.ASSIGNMENT:
        return json_format.ParseDict(document, _MESSAGES[kind]())
    # The one that is large and often sent: its parts are parsed once and copied.
    message = endpoint_pb2.ClusterLoadAssignment(cluster_name=document["cluster_name"])
    for group in document["endpoints"]:
        hosts = (json.dumps(host) for host in group["lb_endpoints"])
        message.endpoints.add().lb_endpoints.extend(_host(text) for text in hosts)
    return message


@lru_cache(maxsize=16384)
def _host(text: str) -> Any:
    return json_format.Parse(text, endpoint_components_pb2.LbEndpoint())
