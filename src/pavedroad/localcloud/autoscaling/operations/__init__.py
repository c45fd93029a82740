"""The operations, one function each, in modules by theme; each module lists its own."""

from __future__ import annotations

from pavedroad.localcloud.autoscaling.call import Operation
from pavedroad.localcloud.autoscaling.operations import (
    account_settings,
    activities,
    capacity,
    catalogues,
    groups,
    instance_refreshes,
    instances,
    launch_configurations,
    launches,
    lifecycle_hooks,
    load_balancers,
    metrics_collection,
    notifications,
    policies,
    processes,
    scheduled_actions,
    standby,
    tags,
    target_groups,
    traffic_sources,
    warm_pools,
)

OPERATIONS: dict[str, Operation] = {
    **groups.OPERATIONS,
    **capacity.OPERATIONS,
    **launch_configurations.OPERATIONS,
    **instances.OPERATIONS,
    **launches.OPERATIONS,
    **load_balancers.OPERATIONS,
    **standby.OPERATIONS,
    **lifecycle_hooks.OPERATIONS,
    **instance_refreshes.OPERATIONS,
    **warm_pools.OPERATIONS,
    **policies.OPERATIONS,
    **scheduled_actions.OPERATIONS,
    **metrics_collection.OPERATIONS,
    **notifications.OPERATIONS,
    **traffic_sources.OPERATIONS,
    **processes.OPERATIONS,
    **target_groups.OPERATIONS,
    **tags.OPERATIONS,
    **activities.OPERATIONS,
    **catalogues.OPERATIONS,
    **account_settings.OPERATIONS,
}
