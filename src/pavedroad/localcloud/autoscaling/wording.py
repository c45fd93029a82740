"""Causes and descriptions of activities, as AWS words them."""

from __future__ import annotations

import json
from datetime import datetime

TERMINATED_OR_STOPPED = "an EC2 health check indicating it has been terminated or stopped."
STATUS_CHECK_FAILED = "an EC2 instance status checks failure."
BALANCER_CHECK_FAILED = "an ELB system health check failure."
REBALANCE_RECOMMENDED = "an EC2 instance rebalance recommendation."
LIFETIME_EXCEEDED = "having reached the maximum instance lifetime."
USER_HEALTH_CHECK = "a user health-check."

LONGEST_CAUSE = 1023
LONGEST_MESSAGE = 255


def moment(now: datetime) -> str:
    return f"{now:%Y-%m-%dT%H:%M:%SZ}"


def created(now: datetime, desired: int) -> str:
    return (
        f"At {moment(now)} a user request created an AutoScalingGroup changing the desired capacity "
        f"from 0 to {desired}."
    )


def updated(now: datetime, minimum: int, maximum: int, was: int, desired: int) -> str:
    return (
        f"At {moment(now)} a user request update of AutoScalingGroup constraints to min: {minimum}, "
        f"max: {maximum}, desired: {desired} changing the desired capacity from {was} to {desired}."
    )


def desired_set(now: datetime, was: int, desired: int) -> str:
    return (
        f"At {moment(now)} a user request explicitly set group desired capacity changing the desired "
        f"capacity from {was} to {desired}."
    )


def by_policy(now: datetime, because: str, was: int, desired: int) -> str:
    return f"At {moment(now)} {because} changing the desired capacity from {was} to {desired}."


def by_schedule(now: datetime, minimum: int, maximum: int, was: int, desired: int) -> str:
    return (
        f"At {moment(now)} a scheduled action update of AutoScalingGroup constraints to min: {minimum}, "
        f"max: {maximum}, desired: {desired} changing the desired capacity from {was} to {desired}."
    )


def force_deleted(now: datetime, was: int) -> str:
    return (
        f"At {moment(now)} a user request force deleted AutoScalingGroup changing the desired capacity "
        f"from {was} to 0."
    )


def grown(request: str, now: datetime, was: int, desired: int) -> str:
    return _after(
        request,
        f"At {moment(now)} an instance was started in response to a difference between desired and actual "
        f"capacity, increasing the capacity from {was} to {desired}.",
    )


def replaced(now: datetime) -> str:
    return (
        f"At {moment(now)} an instance was launched in response to an unhealthy instance needing to be "
        "replaced."
    )


def replacing(now: datetime, instance_id: str) -> str:
    return f"At {moment(now)} an instance was launched to replace instance {instance_id}."


def rebalanced(now: datetime) -> str:
    return f"At {moment(now)} an instance was launched to aid in balancing the group's zones."


def refreshed(now: datetime) -> str:
    return f"At {moment(now)} an instance was launched in response to an instance refresh."


def refreshed_out(now: datetime, instance_id: str) -> str:
    return (
        f"At {moment(now)} an instance was taken out of service in response to an instance refresh.  "
        f"At {moment(now)} instance {instance_id} was selected for termination."
    )


def pool_grown(now: datetime) -> str:
    return (
        f"At {moment(now)} an instance was launched in response to a difference between the desired and the "
        "actual size of the warm pool."
    )


def pool_shrunk(now: datetime, instance_id: str) -> str:
    return (
        f"At {moment(now)} an instance was taken out of the warm pool in response to a difference between "
        f"its desired and its actual size.  At {moment(now)} instance {instance_id} was selected for "
        "termination."
    )


def launching_into_pool(instance_id: str) -> str:
    return f"Launching a new EC2 instance into warm pool: {instance_id}"


def returning(instance_id: str) -> str:
    return f"Returning EC2 instance to warm pool: {instance_id}"


def remaining(example: str) -> str:
    return f"Waiting for remaining instances to be available. For example: {example}"


def warming_up(instance_id: str) -> str:
    return f"Waiting for instances to warm up before continuing. For example: {instance_id} is warming up."


def shrunk(request: str, now: datetime, was: int, desired: int, instance_id: str) -> str:
    return _after(
        request,
        f"At {moment(now)} an instance was taken out of service in response to a difference between desired "
        f"and actual capacity, shrinking the capacity from {was} to {desired}.  "
        f"At {moment(now)} instance {instance_id} was selected for termination.",
    )


def unhealthy(now: datetime, because: str) -> str:
    return f"At {moment(now)} an instance was taken out of service in response to {because}"


def taken_out_by_user(now: datetime, instance_id: str, was: int, capacity: int | None) -> str:
    return _by_user(now, f"{instance_id} was taken out of service", was, capacity)


def attached(now: datetime, was: int, capacity: int) -> str:
    return (
        f"At {moment(now)} an instance was attached in response to a user request, "
        f"increasing the capacity from {was} to {capacity}."
    )


def detached(now: datetime, instance_id: str, was: int, capacity: int | None) -> str:
    return _by_user(now, f"{instance_id} was detached", was, capacity)


def into_standby(now: datetime, instance_id: str, was: int, capacity: int | None) -> str:
    return _by_user(now, f"{instance_id} was moved to standby", was, capacity)


def out_of_standby(now: datetime, instance_id: str, was: int, capacity: int) -> str:
    return (
        f"At {moment(now)} instance {instance_id} was moved out of standby in response to a user request, "
        f"increasing the capacity from {was} to {capacity}."
    )


def launched_by_user(now: datetime, was: int, capacity: int) -> str:
    return (
        f"At {moment(now)} an instance was launched in response to a user request, increasing the capacity "
        f"from {was} to {capacity}."
    )


def launching(instance_id: str) -> str:
    return f"Launching a new EC2 instance: {instance_id}"


def launch_failed(message: str) -> str:
    return f"Launching a new EC2 instance.  Status Reason: {message}"


def with_reason(description: str, reason: str) -> str:
    return f"{description}.  Status Reason: {reason}"


def mixed_refusal(market: str, code: str, message: str) -> str:
    wanted = "Spot" if market == "spot" else "On-Demand"
    return f"Could not launch {wanted} Instances. {code} - {message}"


def launch_message(message: str) -> str:
    return f"{message.rstrip()} Launching EC2 instance failed."[:LONGEST_MESSAGE]


def died_pending(reason: str) -> str:
    return (
        "Instance became unhealthy while waiting for instance to be in InService state. "
        f"Termination Reason: {reason or 'unknown'}"
    )[:LONGEST_MESSAGE]


def terminating(instance_id: str, *, draining: bool = False) -> str:
    waiting = " - Waiting For ELB Connection Draining." if draining else ""
    return f"Terminating EC2 instance: {instance_id}{waiting}"


def details(subnet_id: str, zone: str) -> str:
    return json.dumps({"Subnet ID": subnet_id, "Availability Zone": zone}, separators=(",", ":"))


def _by_user(now: datetime, deed: str, was: int, capacity: int | None) -> str:
    shrinking = "" if capacity is None else f", shrinking the capacity from {was} to {capacity}"
    return f"At {moment(now)} instance {deed} in response to a user request{shrinking}."


def _after(request: str, sentence: str) -> str:
    return f"{request}  {sentence}" if request else sentence
