"""What Envoy counts of each request, in counters of its own that tell listener, target group, zone and answer
apart: its usual ones lump together what a target answered and what was answered in its place."""

from __future__ import annotations

from pavedroad.localcloud.envoy.documents import Document, extension

PREFIX = "counted"
METADATA = "pavedroad"
"""Where an endpoint carries its zone."""

_TAGS = {
    "pool": "%UPSTREAM_CLUSTER_RAW%",
    "zone": f"%UPSTREAM_METADATA({METADATA}:zone)%",
}
_ANSWER = {"status": "%RESPONSE_CODE%", "flags": "%RESPONSE_FLAGS%"}
_TARGET = {"pool": "%UPSTREAM_CLUSTER_RAW%", "host": "%UPSTREAM_HOST%"}
_SENT, _RECEIVED = "WIRE_BYTES_SENT", "WIRE_BYTES_RECEIVED"
_TO_FIRST_BYTE = "%COMMON_DURATION(US_TX_END:US_RX_BEG:us)%"
"""As AWS has it: from when the request has left until the target begins to answer."""


def counted_requests(listener_name: str) -> Document:
    """An access log that counts, and writes nothing."""
    front = {"front": listener_name}
    return extension(
        "envoy.access_loggers.stats",
        "envoy.extensions.access_loggers.stats.v3.Config",
        stat_prefix=PREFIX,
        counters=[
            {"stat": _stat("requests", {**front, **_TAGS, **_ANSWER}), "value_fixed": 1},
            *_bytes(front),
        ],
        histograms=[
            {
                "stat": _stat("seconds", {**front, **_TAGS}),
                "unit": "Microseconds",
                "value_format": _TO_FIRST_BYTE,
            }
        ],
    )


def counted_connections(listener_name: str) -> Document:
    """The same of a listener that looks at no requests."""
    return extension(
        "envoy.access_loggers.stats",
        "envoy.extensions.access_loggers.stats.v3.Config",
        stat_prefix=PREFIX,
        counters=_bytes({"front": listener_name}),
    )


def _bytes(front: dict[str, str]) -> list[Document]:
    return [
        {"stat": _stat("received", front), "value_format": f"%DOWNSTREAM_{_RECEIVED}%"},
        {"stat": _stat("sent", front), "value_format": f"%DOWNSTREAM_{_SENT}%"},
        {"stat": _stat("taken", _TARGET), "value_format": f"%UPSTREAM_{_SENT}%"},
        {"stat": _stat("given", _TARGET), "value_format": f"%UPSTREAM_{_RECEIVED}%"},
    ]


def _stat(name: str, tags: dict[str, str]) -> Document:
    return {"name": name, "tags": [{"name": key, "value_format": value} for key, value in tags.items()]}
