"""Trust stores, for clients that show certificates: this cloud has none, and lets none be made."""

from __future__ import annotations

from pavedroad.localcloud.balancing.asked import Parameters, invalid, unsupported
from pavedroad.localcloud.balancing.call import Call
from pavedroad.localcloud.errors import ServiceError


def create_trust_store(_: Call) -> Parameters:
    raise unsupported("Mutual authentication with a trust store")


def describe_trust_stores(call: Call) -> Parameters:
    arns, names = call.parameters.get("TrustStoreArns"), call.parameters.get("Names")
    if arns and names:
        raise invalid("Trust store names and ARNs cannot be specified at the same time")
    if asked := arns or names:
        raise _not_found(", ".join(asked))
    return {"TrustStores": []}


def of_a_trust_store(call: Call) -> Parameters:
    """Whatever is asked of one."""
    raise _not_found(call.parameters["TrustStoreArn"])


def get_resource_policy(call: Call) -> Parameters:
    """Only trust stores have one."""
    resource = call.parameters["ResourceArn"]
    raise ServiceError("ResourceNotFound", f"Resource '{resource}' not found")


def _not_found(which: str) -> ServiceError:
    return ServiceError("TrustStoreNotFound", f"Trust store '{which}' not found")
