"""What the adapter relies on in moto and moto does not promise: when moto moves, these say where."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

import pytest

from pavedroad.localcloud.moto_adapter import ec2_network, regions

# isort: split
from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.core.request import Request
from moto.core.responses import BaseResponse
from moto.ec2.models import EC2Backend, elastic_network_interfaces, instances
from moto.ec2.models.instances import Instance
from moto.ec2.models.subnets import Subnet
from moto.ec2.models.vpcs import VPCBackend
from moto.ec2.responses.instances import InstanceResponse
from moto.moto_server.werkzeug_app import create_backend_app


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_moto_is_the_version_that_all_this_was_read_in() -> None:
    assert version("moto") == "5.2.5"


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (Subnet.get_available_subnet_ip, ["self", "instance"]),
        (Subnet.request_ip, ["self", "ip", "instance"]),
        (Subnet.del_subnet_ip, ["self", "ip"]),
        (VPCBackend.create_default_vpc, ["self"]),
        (elastic_network_interfaces.NetworkInterface.check_auto_public_ip, ["self"]),
        (BaseResponse._dispatch, ["self", "request", "full_url", "headers"]),
        (BaseResponse.serialized, ["self", "action_result"]),
        (BaseResponse.parse_parameters, ["self", "request"]),
        (create_backend_app, ["service"]),
        (AccountSpecificBackend.get_session, []),
    ],
)
def test_what_is_replaced_or_called_has_the_parameters_it_had(function: Any, expected: list[str]) -> None:
    assert parameters(function) == expected


def test_instances_are_made_by_the_name_in_their_module() -> None:
    source = inspect.getsource(instances.InstanceBackend.run_instances)
    assert "new_instance = Instance(" in source


def test_an_instance_keeps_its_state_in_the_attributes_that_ours_take_over() -> None:
    source = inspect.getsource(Instance.__init__)
    for attribute in ("self._state = ", "self._reason = ", "self.state_reason = "):
        assert attribute in source


def test_backends_are_made_of_the_dictionarys_own_class() -> None:
    assert "backend=self.backend" in inspect.getsource(BackendDict._create_account_specific_backend)
    assert issubclass(EC2Backend, VPCBackend)


def test_a_request_knows_its_raw_path() -> None:
    request = Request(
        {"RAW_URI": "/a%2Fb?x=1", "wsgi.url_scheme": "http", "SERVER_NAME": "h", "SERVER_PORT": "1"}
    )
    assert request.raw_path == "/a%2Fb"


def test_the_responses_that_ours_extend_have_the_methods_they_call() -> None:
    for name in ("_parse_block_device_mapping", "_parse_tag_specification", "error_on_dryrun"):
        assert hasattr(InstanceResponse, name)


def test_the_regions_are_ours_alone() -> None:
    assert list(AccountSpecificBackend.get_session().get_available_regions("ec2")) == list(regions.REGIONS)


def test_the_machines_own_network_is_refused() -> None:
    assert str(ec2_network.loopback_network("127.208.0.0/16")) == "127.208.0.0/16"
    assert ec2_network.loopback_network("10.0.0.0/16") is None
    for cidr in ("0.0.0.0/0", "127.0.0.0/16", "127.0.0.0/8", "hello"):
        with pytest.raises(Exception, match="Invalid"):
            ec2_network.loopback_network(cidr)
