"""The platform's errors: one small tree, each with a stable code and an HTTP status.

PavedError
├── InvalidInput          invalid-input       400  what was asked makes no sense as asked
├── Unauthenticated       unauthenticated     401  no token, or a wrong one
├── Forbidden             forbidden           403  known, but not allowed
├── NotFound              not-found           404  there is no such thing
├── UnsupportedMethod     method-not-allowed  405  the route has other methods
├── TooSlow               too-slow            408  what was to be sent did not come in time
├── Conflict              conflict            409  it makes sense, but not now
│   ├── Guarded           guarded             409  a guard refused: it would hurt users
│   └── Cold              cold                409  it takes a while, and it was not said that it may
├── TooLarge              too-large           413  the body is over the limit
├── Misdirected           misdirected         421  it was meant for another host
├── TooManyAttempts       too-many-attempts   429  wrong credentials, again and again
├── HeadTooLarge          head-too-large      431  the request's headers are over the limit
├── DeployFailed          deploy-failed       422  the new version did not come up; nothing was harmed
│   └── BakeFailed        bake-failed         422  the image could not be built
├── CloudFailed           cloud-failed        502  the cloud refused or broke
│   └── CapacityRefused   capacity-refused    502  the cloud has no room for what was asked
└── Unavailable           unavailable         503  a part of the platform is not there
    ├── StateUnreadable   state-unreadable    503  what was saved does not load; it is left as it is
    └── Busy              busy                503  there is too much to do; it says when to come again
"""

from __future__ import annotations

from typing import ClassVar


class PavedError(Exception):
    """One sentence that says what is wrong, and, where there is one, the next step."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500

    def __init__(self, sentence: str, *, next_step: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.next_step = next_step


class InvalidInput(PavedError):
    code = "invalid-input"
    status = 400


class Unauthenticated(PavedError):
    code = "unauthenticated"
    status = 401


class Forbidden(PavedError):
    code = "forbidden"
    status = 403


class NotFound(PavedError):
    code = "not-found"
    status = 404


class UnsupportedMethod(PavedError):
    code = "method-not-allowed"
    status = 405


class TooSlow(PavedError):
    """What the client had to send did not come."""

    code = "too-slow"
    status = 408


class Conflict(PavedError):
    code = "conflict"
    status = 409


class Guarded(Conflict):
    code = "guarded"


class Cold(Conflict):
    code = "cold"


class TooLarge(PavedError):
    code = "too-large"
    status = 413


class Misdirected(PavedError):
    """The request was meant for another host: a page elsewhere tries to reach us by a name of its own."""

    code = "misdirected"
    status = 421


class TooManyAttempts(PavedError):
    """`retry_after` is in seconds."""

    code = "too-many-attempts"
    status = 429

    def __init__(self, sentence: str, *, next_step: str | None = None, retry_after: int = 1) -> None:
        super().__init__(sentence, next_step=next_step)
        self.retry_after = retry_after


class HeadTooLarge(PavedError):
    code = "head-too-large"
    status = 431


class DeployFailed(PavedError):
    code = "deploy-failed"
    status = 422


class BakeFailed(DeployFailed):
    code = "bake-failed"


class CloudFailed(PavedError):
    """`aws_code` is the cloud's own error code where it gave one."""

    code = "cloud-failed"
    status = 502

    def __init__(self, sentence: str, *, next_step: str | None = None, aws_code: str | None = None) -> None:
        super().__init__(sentence, next_step=next_step)
        self.aws_code = aws_code


class CapacityRefused(CloudFailed):
    code = "capacity-refused"


class Unavailable(PavedError):
    code = "unavailable"
    status = 503


class StateUnreadable(Unavailable):
    """Nothing was changed, ended or deleted."""

    code = "state-unreadable"


class Busy(Unavailable):
    """`retry_after` is in seconds."""

    code = "busy"

    def __init__(self, sentence: str, *, retry_after: int = 30, next_step: str | None = None) -> None:
        super().__init__(sentence, next_step=next_step)
        self.retry_after = retry_after
