# pyright: basic
"""S3: moto's, whose bodies are checked, hashed and stored before the state lock is taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

from moto.core.utils import get_service_model
from urllib3.filepost import encode_multipart_formdata
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from pavedroad.localcloud.api.errors import error_response
from pavedroad.localcloud.api.objects import Blob, BlobStore
from pavedroad.localcloud.api.services import LARGEST_OBJECT, ApiRequest, ApiResponse
from pavedroad.localcloud.errors import ServiceError
from pavedroad.localcloud.moto_adapter.environ import environ_of
from pavedroad.localcloud.moto_adapter.outside import Known
from pavedroad.localcloud.moto_adapter.s3_anonymous import check_anonymous
from pavedroad.localcloud.moto_adapter.s3_bodies import Body, check_body
from pavedroad.localcloud.moto_adapter.s3_checks import check_s3, malformed
from pavedroad.localcloud.moto_adapter.s3_contents import Stored
from pavedroad.localcloud.moto_adapter.s3_objects import COPIED_CHECKSUM, UPLOAD
from pavedroad.localcloud.moto_adapter.services import MotoService
from pavedroad.localcloud.state import State

_PIECE = 1 << 20
_LARGEST_DOCUMENT = 4 * 2**20
_MOST_MARKS = 250_000
"""Tags of a document, which hold up all others while they are read: an upload of 10,000 parts has fewer."""
_LARGEST_FIELDS = 2**20


class ObjectService(MotoService):
    def __init__(self, state: State, store: BlobStore) -> None:
        super().__init__("s3", state)
        self._store = store

    def handle(self, request: ApiRequest) -> ApiResponse:
        try:
            _check_document(request)
            check_s3(request)
            request, known = self._stored(request)
        except ServiceError as error:
            return error_response(request, error)
        return self.ask(request, known)

    def check_anonymous(self, request: ApiRequest) -> None:
        with self._state.lock:
            check_anonymous(request)

    def _stored(self, request: ApiRequest) -> tuple[ApiRequest, Known]:
        """The request without the contents that it brings, and what is known of them."""
        if _is_upload(request):
            return self._upload(request)
        if _is_form(request):
            return self._form(request)
        check_body(request)
        algorithm = request.headers.get("x-amz-checksum-algorithm")
        return request, {COPIED_CHECKSUM: algorithm} if algorithm else {}

    def _upload(self, request: ApiRequest) -> tuple[ApiRequest, Known]:
        body = Body(request)
        blob = self._store.put_pieces(_bounded(body))
        headers = {**body.checksums, **request.headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
        return self._with_blob(replace(request, headers=headers), blob, body.etag, b"")

    def _form(self, request: ApiRequest) -> tuple[ApiRequest, Known]:
        """A web page's: fields, and a file among them."""
        parser = FormDataParser(
            lambda *_, **__: self._store.drafts.file(), max_form_memory_size=_LARGEST_FIELDS
        )
        try:
            _, fields, files = parser.parse_from_environ(environ_of(request))
        except OSError as error:
            raise self._store.drafts.refused(error) from error
        except RequestEntityTooLarge:
            raise ServiceError(
                "MaxPostPreDataLengthExceeded",
                "Your POST request fields preceding the upload file were too large.",
            ) from None
        uploaded = files.get("file")
        if uploaded is None:
            return request, {}
        blob = self._store.put_pieces(_bounded(iter(lambda: uploaded.stream.read(_PIECE), b"")))
        content = blob.inline or b""
        parts = [*fields.items(multi=True), ("file", (uploaded.filename, content, uploaded.mimetype))]
        form, kind = encode_multipart_formdata(parts)
        headers = {**request.headers, "content-type": kind}
        return self._with_blob(replace(request, headers=headers), blob, None, form)

    def _with_blob(
        self, request: ApiRequest, blob: Blob, etag: str | None, body: bytes
    ) -> tuple[ApiRequest, Known]:
        body = body or blob.inline or b""
        known: Known = {}
        if blob.inline is None:
            known[UPLOAD] = Stored(self._store, blob)
            if etag is not None:
                known["md5", blob.digest] = etag
        return replace(request, stream=BytesIO(body), length=len(body)), known


def _bounded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > LARGEST_OBJECT:
            raise ServiceError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        yield piece


def _is_upload(request: ApiRequest) -> bool:
    """An object's contents, or a part's."""
    if request.method != "PUT" or "x-amz-copy-source" in request.headers:
        return False
    return not parse_qs(request.query, keep_blank_values=True).keys() & _settings()


def _is_form(request: ApiRequest) -> bool:
    kind = request.headers.get("content-type", "")
    return request.method == "POST" and kind.startswith("multipart/form-data")


def _check_document(request: ApiRequest) -> None:
    """Whatever is neither contents nor a form of them."""
    if _is_upload(request) or _is_form(request):
        return
    if request.length > _LARGEST_DOCUMENT:
        raise ServiceError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.")
    if request.body().count(b"<") > _MOST_MARKS:
        raise malformed()


@cache
def _settings() -> set[str]:
    """What a query names when something else than contents is put."""
    model: Any = get_service_model("s3")
    operations = map(model.operation_model, model.operation_names)
    asked = (urlsplit(it.http["requestUri"]).query for it in operations if it.http["method"] == "PUT")
    return {name for query in asked for name in parse_qs(query, keep_blank_values=True)} - {"x-id"}
