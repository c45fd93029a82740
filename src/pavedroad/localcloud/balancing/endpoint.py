"""Elastic Load Balancing as the endpoint sees it: one service, with two versions of its API."""

from __future__ import annotations

import re

from pavedroad.localcloud.api.services import ApiRequest, ApiResponse
from pavedroad.localcloud.balancing.membership import BothKinds
from pavedroad.localcloud.balancing.service import LoadBalancing
from pavedroad.localcloud.ports import Balancers

_OLDER = re.compile(rb"(?:^|&)Version=2012-06-01(?:&|$)")


class ElasticLoadBalancing:
    """A `Service`. Calls name the version that they are of."""

    name = "elasticloadbalancing"

    def __init__(self, application: LoadBalancing, classic: LoadBalancing) -> None:
        self._application = application
        self._classic = classic

    def handle(self, request: ApiRequest) -> ApiResponse:
        older = _OLDER.search(request.query.encode()) or _OLDER.search(request.body())
        return (self._classic if older else self._application).handle(request)

    def balancers(self, account: str, region: str) -> Balancers:
        """Of both versions, for groups."""
        return BothKinds(
            self._application.balancers(account, region), self._classic.balancers(account, region)
        )

    def certificates_in_use(self, account: str) -> set[str]:
        """By ARN, in all regions; called with the lock held."""
        return self._application.certificates_in_use(account) | self._classic.certificates_in_use(account)

    def users_of_certificates(self, account: str, region: str) -> dict[str, list[str]]:
        """The balancers that show each certificate, by its ARN; called with the lock held."""
        found = self._application.users_of_certificates(account, region)
        for arn, users in self._classic.users_of_certificates(account, region).items():
            found.setdefault(arn, []).extend(users)
        return found
