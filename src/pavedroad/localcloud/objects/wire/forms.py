"""Objects that a web page's form puts: its fields say what a request's headers would."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import urlencode

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.api.services import ApiRequest
from pavedroad.localcloud.objects.bodies import bad_digest, received_of
from pavedroad.localcloud.objects.contents import Received
from pavedroad.localcloud.objects.digests import ALGORITHMS
from pavedroad.localcloud.objects.refusals import Refused, bad_argument, malformed
from pavedroad.localcloud.objects.wire.tree import parsed

_PIECE = 1 << 20
_LARGEST_FIELDS = 2**20
_STATUSES = ("200", "201", "204")
_CHECKSUM = "x-amz-checksum-"
_REDIRECT = re.compile(r"https?://[^\s]+")


@dataclass(frozen=True, slots=True)
class Form:
    """`headers` are what a request that puts the object would have, with lower-case names."""

    key: str
    headers: Mapping[str, str]
    tags: str | None
    redirect: str
    status: int
    received: Received


def form_of(request: ApiRequest, store: BlobStore) -> Form:
    """Read, with its file kept."""
    fields, uploaded, name = _parsed(request, store)
    if "key" not in fields:
        raise bad_argument(
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of "
            "the fields.",
            "key",
            "",
        )
    if uploaded is None:
        raise bad_argument("POST requires exactly one file upload per request.", "file", "0")
    key = fields["key"].replace("${filename}", name)
    if not key:
        raise bad_argument("User key must have a length greater than 0.", "key", "")
    headers = {it: value for it, value in fields.items() if it != "x-amz-acl"}
    if "acl" in fields:
        headers["x-amz-acl"] = fields["acl"]
    received = received_of(_pieces(uploaded), store, _algorithms(headers))
    _compare(headers, received)
    redirect = fields.get("success_action_redirect", fields.get("redirect", ""))
    status = fields.get("success_action_status", "204")
    return Form(
        key,
        headers,
        _tags(fields["tagging"]) if "tagging" in fields else None,
        redirect if _REDIRECT.fullmatch(redirect) else "",
        int(status) if status in _STATUSES else 204,
        received,
    )


def _parsed(request: ApiRequest, store: BlobStore) -> tuple[dict[str, str], BinaryIO | None, str]:
    """Fields by lower-case names, and the file with its name."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))

    def drafted(*_: object, **__: object) -> Any:
        return store.drafts.file()

    parser = FormDataParser(drafted, max_form_memory_size=_LARGEST_FIELDS)
    request.stream.seek(0)
    try:
        _, said, files = parser.parse(request.stream, kind, request.length, options)
    except OSError as error:
        raise store.drafts.refused(error) from error
    except RequestEntityTooLarge:
        raise Refused(
            "MaxPostPreDataLengthExceeded",
            "Your POST request fields preceding the upload file were too large.",
        ) from None
    fields = {name.lower(): value for name, value in said.items()}
    file: Any = files.get("file")
    if file is None:
        # Clients may send it as a field without a name of a file.
        text = fields.pop("file", None)
        if text is None:
            return fields, None, ""
        stream = store.drafts.file()
        stream.write(text.encode())
        stream.seek(0)
        return fields, stream, ""
    if "content-type" not in fields and file.mimetype:
        fields["content-type"] = file.content_type
    return fields, file.stream, str(file.filename or "").replace("\\", "/").rpartition("/")[2]


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        yield from iter(lambda: stream.read(_PIECE), b"")


def _algorithms(headers: Mapping[str, str]) -> list[str]:
    return [it for it in ALGORITHMS if f"{_CHECKSUM}{it.lower()}" in headers]


def _compare(headers: Mapping[str, str], received: Received) -> None:
    for algorithm in _algorithms(headers):
        if headers[f"{_CHECKSUM}{algorithm.lower()}"] != received.checksums[algorithm]:
            raise bad_digest(algorithm)
    if headers.get("content-md5", received.checksums["MD5"]) != received.checksums["MD5"]:
        raise Refused("BadDigest", "The Content-MD5 you specified did not match what we received.")


def _tags(document: str) -> str:
    """As a header has them."""
    root = parsed(document.encode())
    if root.name != "Tagging" or not root.children:
        raise malformed()
    pairs: list[tuple[str, str]] = []
    for tag in root.children[0].children:
        said = {it.name: it.text for it in tag.children}
        if said.keys() != {"Key", "Value"}:
            raise malformed()
        pairs.append((said["Key"], said["Value"]))
    return urlencode(pairs)
