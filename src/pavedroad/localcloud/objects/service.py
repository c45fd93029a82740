"""S3 as the endpoint and the cloud's other services see it."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, BinaryIO

from pavedroad.core.clock import Clock
from pavedroad.localcloud.api.calls import reads
from pavedroad.localcloud.api.objects import BlobStore
from pavedroad.localcloud.api.services import ApiRequest, ApiResponse, QueuesOf, TopicsOf
from pavedroad.localcloud.errors import ServiceError, internal_failure
from pavedroad.localcloud.objects import bodies, contents, document, keeping, versions
from pavedroad.localcloud.objects.buckets import access, cors, expiring, lifecycle
from pavedroad.localcloud.objects.buckets.notifying import Notifying
from pavedroad.localcloud.objects.buckets.tagged import TaggedBuckets
from pavedroad.localcloud.objects.call import Call, Result
from pavedroad.localcloud.objects.model import Bucket, Store
from pavedroad.localcloud.objects.operations import OPERATIONS, PREPARED
from pavedroad.localcloud.objects.refusals import Refused, not_offered
from pavedroad.localcloud.objects.wire import answers, forms, routing
from pavedroad.localcloud.objects.wire.parameters import LARGEST_DOCUMENT, merged_headers, parameters_of
from pavedroad.localcloud.objects.wire.routing import Asked, Routes
from pavedroad.localcloud.state import State

_log = logging.getLogger(__name__)

_UPLOADS = frozenset({"PutObject", "UploadPart"})
_ANYWHERE = frozenset({"CreateBucket", "GetBucketLocation", "ListBuckets"})
"""Operations that a region answers for buckets of others."""
_DIGESTED_OTHERWISE = frozenset({"CompleteMultipartUpload", "CreateMultipartUpload"})
"""Their headers speak of the whole object."""
_TELL_EXPIRATION = frozenset(
    {"CompleteMultipartUpload", "CopyObject", "GetObject", "HeadObject", "PutObject"}
)


class ObjectStorage:
    """A `Service`, `Durable` and `OpenToAll` of the endpoint. Contents are checked, counted and kept before
    the state's lock is taken."""

    name = "s3"
    form = document.FORM

    def __init__(
        self, state: State, clock: Clock, contents: BlobStore, queues: QueuesOf, topics: TopicsOf
    ) -> None:
        self._state = state
        self._clock = clock
        self._contents = contents
        self._store = Store()
        self._writer = document.Writer()
        self._routes = Routes()
        self._notifying = Notifying(queues, topics)

    def prepare(self) -> None:
        """Read the model before somebody asks for it."""
        _ = self._routes.model.operation_names

    def handle(self, request: ApiRequest) -> ApiResponse:
        asked: Asked | None = None
        try:
            asked = routing.address_of(request)
            request = replace(request, headers=merged_headers(request, asked.query))
            response = self._answer(request, asked)
        except ServiceError as error:
            response = answers.refusal(request, error)
        except Exception:
            _log.exception("A call of S3 failed")
            response = answers.refusal(request, internal_failure())
        return self._for_pages(request, asked, response)

    def check_anonymous(self, request: ApiRequest) -> None:
        """Raises AccessDenied where somebody without a key may not make this call."""
        asked = routing.address_of(request)
        request = replace(request, headers=merged_headers(request, asked.query), anonymous=True)
        operation = self._routes.find(request, asked)
        if operation not in (routing.PREFLIGHT, routing.POST_OBJECT):
            call = self._call(request, operation, self._parameters(request, operation, asked, b""))
            with self._state.lock:
                access.check_anonymous(call)

    def dump(self) -> document.Written:
        return self._writer.dump(self._store)

    def load(self, saved: Any) -> None:
        self._store = saved
        self._writer = document.Writer()

    def _answer(self, request: ApiRequest, asked: Asked) -> ApiResponse:
        operation = self._routes.find(request, asked)
        if operation == routing.PREFLIGHT:
            return self._preflight(request, asked)
        if operation == routing.POST_OBJECT:
            return self._post(request, asked)
        if operation not in OPERATIONS:
            raise not_offered(operation)
        uploads = operation in _UPLOADS
        body = b"" if uploads else self._document(request, operation)
        call = self._call(request, operation, self._parameters(request, operation, asked, body))
        self._admit(request, call)
        if uploads:
            call = replace(call, received=bodies.receive(request, self._contents))
        if operation in PREPARED:
            call = PREPARED[operation](call)
        result = self._perform(request, call)
        contents.look(result.members.get("Body"))
        return answers.answer(request, self._routes.operation(operation), result)

    def _perform(self, request: ApiRequest, call: Call) -> Result:
        with self._state.lock:
            if call.anonymous:
                access.check_anonymous(call)
            result = OPERATIONS[call.operation](call)
            if not reads(call.operation):
                self._state.touch()
            self._notifying.tell(call, request.request_id, answers.host_id(request))
            return self._with_expiration(call, result)

    def open(self, account: str, bucket: str, key: str) -> BinaryIO | None:
        """`pavedroad.localcloud.api.ec2.images.Objects`."""
        with self._state.lock:
            kept = self._store.buckets.get(bucket)
            version = versions.current(kept, key) if kept and kept.account == account else None
        if version is None:
            return None
        return contents.content_of(self._contents, version.contents, 0, version.size).file

    def has_bucket(self, account: str, bucket: str) -> bool:
        """`pavedroad.localcloud.ports.Objects`."""
        found = self._store.buckets.get(bucket)
        return found is not None and found.account == account

    def put(self, account: str, bucket: str, key: str, content: bytes) -> None:
        """`pavedroad.localcloud.ports.Objects`."""
        received = bodies.received_of([content], self._contents)
        request = ApiRequest("s3", self._store.buckets[bucket].region, account, "PUT", "", "", {})
        call = self._call(request, "PutObject", {"Bucket": bucket, "Key": key})
        self._perform(request, replace(call, received=received))

    def tagged(self) -> TaggedBuckets:
        return TaggedBuckets(self._state, lambda: self._store)

    def held(self) -> set[str]:
        """The digests of all contents that some version or part has. With the state's lock held."""
        return {blob.digest for _, _, blob in keeping.all_contents(self._store)}

    def expire(self) -> None:
        """End what lifecycle rules end. With the state's lock held."""
        if expiring.expire(self._store, self._clock.now()):
            self._state.touch()

    def look_at_all(self) -> None:
        """At the size of each file that there should be; what is damaged is told of then."""
        with self._state.lock:
            blobs = {it.digest: it for _, _, it in keeping.all_contents(self._store) if it.inline is None}
        self._contents.look_at_sizes(blobs.values())

    @property
    def failure(self) -> str:
        """Which object is damaged, and where, in a sentence; empty while none is known to be. With the
        state's lock held."""
        return keeping.damage(self._store, self._contents.damages())

    def _document(self, request: ApiRequest, operation: str) -> bytes:
        if request.length > LARGEST_DOCUMENT:
            raise Refused("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        if not request.length:
            return b""
        if operation not in _DIGESTED_OTHERWISE:
            bodies.check(request)
        return request.body()

    def _parameters(self, request: ApiRequest, operation: str, asked: Asked, body: bytes) -> dict[str, Any]:
        return parameters_of(self._routes.operation(operation), asked, request.headers, body)

    def _call(self, request: ApiRequest, operation: str, parameters: dict[str, Any]) -> Call:
        return Call(
            operation=operation,
            store=self._store,
            contents=self._contents,
            lock=self._state.lock,
            parameters=parameters,
            now=self._clock.now().replace(microsecond=0),
            account=request.account,
            region=request.region,
            principal="" if request.anonymous else f"arn:aws:iam::{request.account}:root",
            anonymous=request.anonymous,
            headers=request.headers,
            exists=self._notifying.exists,
        )

    def _admit(self, request: ApiRequest, call: Call) -> None:
        """Before its body is read."""
        with self._state.lock:
            if call.anonymous:
                access.check_anonymous(call)
            bucket = self._store.buckets.get(call.get("Bucket", ""))
        here = bucket is None or bucket.region == request.region or call.operation in _ANYWHERE
        if bucket is not None and not here and _says_region(request):
            raise elsewhere(bucket)

    def _preflight(self, request: ApiRequest, asked: Asked) -> ApiResponse:
        with self._state.lock:
            bucket = self._store.buckets.get(asked.bucket)
            found = cors.preflight(bucket, request.headers, "OBJECT" if asked.key else "BUCKET")
        return answers.empty_answer(request, 200, found)

    def _post(self, request: ApiRequest, asked: Asked) -> ApiResponse:
        """A form of a web page."""
        form = forms.form_of(request, self._contents)
        asked = Asked(asked.bucket, form.key, {})
        parameters = self._parameters(request, "PutObject", asked, b"") | parameters_of(
            self._routes.operation("PutObject"), asked, form.headers, b""
        )
        if form.tags is not None:
            parameters["Tagging"] = form.tags
        call = self._call(request, "PutObject", parameters)
        call = replace(call, headers=form.headers, received=form.received, made_by="ObjectCreated:Post")
        result = self._perform(request, call)
        return answers.posted(request, form, asked.bucket, result)

    def _with_expiration(self, call: Call, result: Result) -> Result:
        """What a lifecycle rule will do to the object that is told of."""
        if call.operation not in _TELL_EXPIRATION or call.get("VersionId") is not None:
            return result
        bucket, key = self._store.buckets.get(call.get("Bucket", "")), call.get("Key", "")
        version = versions.current(bucket, key) if bucket else None
        if bucket is None or version is None:
            return result
        said = lifecycle.expiration_of(bucket, key, version)
        return replace(result, members={**result.members, "Expiration": said}) if said else result

    def _for_pages(self, request: ApiRequest, asked: Asked | None, response: ApiResponse) -> ApiResponse:
        """With what a browser wants to know of a page's call."""
        if asked is None or "origin" not in request.headers or request.method == "OPTIONS":
            return response
        with self._state.lock:
            bucket = self._store.buckets.get(asked.bucket)
            more = cors.headers_of(bucket, request.headers, request.method)
        return replace(response, headers=(*response.headers, *more)) if more else response


def elsewhere(bucket: Bucket) -> Refused:
    return Refused(
        "PermanentRedirect",
        "The bucket you are attempting to access must be addressed using the specified endpoint. Please send "
        "all future requests to this endpoint.",
        301,
        headers={"x-amz-bucket-region": bucket.region},
        Endpoint=f"{bucket.name}.s3.{bucket.region}.amazonaws.com",
        Bucket=bucket.name,
    )


def _says_region(request: ApiRequest) -> bool:
    """Whether its signature does: older ones, and callers without a key, say none."""
    signed = request.headers.get("authorization", "").startswith("AWS4-")
    return signed or "X-Amz-Credential=" in request.query
