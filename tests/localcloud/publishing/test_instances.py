"""AWS/EC2: percentages of an instance type's processors, sums of bytes, every minute or every five."""

from __future__ import annotations

import pytest

from pavedroad.localcloud.measured import LinkMeasure, Measurements, TargetMeasure
from pavedroad.localcloud.publishing.instances import InstanceMetrics
from pavedroad.localcloud.publishing.views import InstanceView
from tests.localcloud.publishing.measures import GROUP, Published, guest, instance, measured, traffic

_ID = ("InstanceId", "i-1")
_BASIC = instance(detailed=False)


class Minutes:
    """One measurement after the other, a minute apart."""

    def __init__(self, *instances: InstanceView, began: int = 0) -> None:
        self._metrics = InstanceMetrics()
        self._instances = instances or (instance(),)
        self.minute = began - 60

    def then(self, measurements: Measurements) -> Published:
        found = self._metrics.samples(self.minute, measurements, self._instances)
        self.minute += 60
        return Published(found)


def test_what_was_used_before_the_first_look_is_not_published() -> None:
    minutes = Minutes()
    assert minutes.then(measured(guest(1000), at=0)).names == set()
    assert minutes.then(measured(guest(1000), at=60)).average("CPUUtilization", _ID) == 0


def test_processor_time_is_a_percentage_of_all_the_types_processors() -> None:
    minutes = Minutes()
    minutes.then(measured(guest(10), at=0))
    second = minutes.then(measured(guest(70), at=60))
    assert second.average("CPUUtilization", _ID) == pytest.approx(50)
    sample = second.get("CPUUtilization", _ID)
    assert sample is not None
    assert (sample.unit, sample.at) == ("Percent", 0)
    assert minutes.then(measured(guest(10_000), at=120)).average("CPUUtilization", _ID) == 100


def test_a_look_that_came_late_divides_by_the_time_that_went_by() -> None:
    minutes = Minutes()
    minutes.then(measured(guest(0), at=0))
    assert minutes.then(measured(guest(60), at=120)).average("CPUUtilization", _ID) == pytest.approx(25)


def test_a_reboot_counts_the_rest_of_the_boot_before_and_the_new_one_from_nothing() -> None:
    minutes = Minutes()
    minutes.then(measured(guest(100), at=0))
    rebooted = measured(guest(112, running=False), guest(6, boot=2), at=60)
    assert minutes.then(rebooted).average("CPUUtilization", _ID) == pytest.approx(15)


def test_a_host_that_was_started_anew_counts_from_nothing() -> None:
    minutes = Minutes()
    minutes.then(measured(guest(100), at=0))
    assert minutes.then(measured(guest(12), at=60, epoch="next")).average(
        "CPUUtilization", _ID
    ) == pytest.approx(10)


def test_detailed_monitoring_publishes_every_minute_under_each_dimension_alone() -> None:
    minutes = Minutes(instance(), instance("i-2"))
    minutes.then(measured(guest(0), guest(0, "i-2"), at=0))
    published = minutes.then(measured(guest(12), guest(36, "i-2"), at=60))
    for shared in (
        (("AutoScalingGroupName", "web"),),
        (("InstanceType", "t3.micro"),),
        (("ImageId", "ami-1"),),
        (),
    ):
        sample = published.get("CPUUtilization", *shared)
        assert sample is not None
        assert sorted(sample.values) == pytest.approx([10, 30])
    assert published.average("CPUUtilization", _ID) == pytest.approx(10)


def test_basic_monitoring_publishes_five_minutes_at_once_without_type_and_image() -> None:
    minutes = Minutes(_BASIC)
    minutes.then(measured(guest(0), at=0))
    for minute in range(1, 5):
        assert "CPUUtilization" not in minutes.then(measured(guest(12 * minute), at=60 * minute)).names
    published = minutes.then(measured(guest(60), at=300))
    sample = published.get("CPUUtilization", _ID)
    assert sample is not None
    assert sample.at == 0
    assert sample.values == pytest.approx([10] * 5)
    assert published.get("CPUUtilization", ("AutoScalingGroupName", "web")) is not None
    assert published.get("CPUUtilization", ("InstanceType", "t3.micro")) is None


def test_an_instance_that_starts_within_five_minutes_is_published_at_their_end() -> None:
    minutes = Minutes(_BASIC, began=120)
    minutes.then(measured(guest(0), at=120))
    minutes.then(measured(guest(12), at=180))
    minutes.then(measured(guest(12), at=240))
    sample = minutes.then(measured(guest(12), at=300)).get("CPUUtilization", _ID)
    assert sample is not None
    assert sample.at == 0
    assert sample.values == pytest.approx([10, 0, 0])


def test_status_checks_are_published_every_minute_whatever_the_monitoring() -> None:
    minutes = Minutes(instance(detailed=False, impaired=True))
    minutes.then(measured(guest(0), at=0))
    published = minutes.then(measured(guest(0), at=60))
    assert published.total("StatusCheckFailed", _ID) == 1
    assert published.total("StatusCheckFailed_Instance", _ID) == 1
    assert published.total("StatusCheckFailed_System", _ID) == 0


def test_an_instance_that_the_host_says_nothing_of_has_its_status_alone() -> None:
    minutes = Minutes(instance(impaired=True))
    minutes.then(measured(at=0))
    assert minutes.then(measured(at=60)).names == {
        "StatusCheckFailed",
        "StatusCheckFailed_Instance",
        "StatusCheckFailed_System",
    }


def test_disk_bytes_are_published_where_the_kernel_counts_them() -> None:
    minutes = Minutes()
    minutes.then(measured(guest(0, read=5, written=7), at=0))
    published = minutes.then(measured(guest(0, read=105, written=1007), at=60))
    assert published.total("DiskReadBytes", _ID) == 100
    assert published.total("DiskWriteBytes", _ID) == 1000
    assert published.total("EBSReadBytes", _ID) == 100
    assert published.total("EBSWriteBytes", _ID) == 1000
    assert not minutes.then(measured(guest(0, read=None, written=None), at=120)).names & {
        "DiskReadBytes",
        "DiskWriteBytes",
    }


def test_operations_of_disks_are_published_where_control_groups_count_them() -> None:
    minutes = Minutes()
    minutes.then(measured(guest(0, operations=(5, 7)), at=0))
    published = minutes.then(measured(guest(0, operations=(15, 27)), at=60))
    assert published.total("EBSReadOps", _ID) == 10
    assert published.total("EBSWriteOps", _ID) == 20
    assert "EBSReadOps" not in minutes.then(measured(guest(0), at=120)).names


def test_network_bytes_are_those_that_load_balancers_carried() -> None:
    def moved(taken: int, given: int, run: str = "run") -> Measurements:
        targets = tuple(
            TargetMeasure(f"{GROUP}{number}", "127.0.0.1", 8000, 1, 0, 0, taken, given) for number in (1, 2)
        )
        return measured(guest(0), at=0, traffic=traffic(targets=targets, run=run))

    minutes = Minutes()
    minutes.then(moved(1000, 2000))
    published = minutes.then(moved(1010, 2300))
    assert published.total("NetworkIn", _ID) == 20
    assert published.total("NetworkOut", _ID) == 600
    assert minutes.then(measured(guest(0), at=0)).total("NetworkIn", _ID) == 0
    assert minutes.then(moved(1011, 2300)).total("NetworkIn", _ID) == 2
    assert minutes.then(moved(7, 3, run="next")).total("NetworkIn", _ID) == 14


def test_a_network_of_its_own_counts_all_of_it_and_packets_every_five_minutes() -> None:
    minutes = Minutes()
    minutes.then(measured(guest(0, link=LinkMeasure(1000, 10, 100, 1)), at=0))
    for minute in range(1, 5):
        link = LinkMeasure(1000 + 50 * minute, 10 + minute, 100 + 7 * minute, 1 + 2 * minute)
        published = minutes.then(measured(guest(0, link=link), at=60 * minute))
        assert published.total("NetworkIn", _ID) == 50
        assert published.total("NetworkOut", _ID) == 7
        assert "NetworkPacketsIn" not in published.names
    rebooted = (
        guest(0, running=False, link=LinkMeasure(1250, 15, 135, 11)),
        guest(0, boot=2, link=LinkMeasure(30, 3, 40, 4)),
    )
    published = minutes.then(measured(*rebooted, at=300))
    assert published.total("NetworkIn", _ID) == 80
    sample = published.get("NetworkPacketsIn", _ID)
    assert sample is not None
    assert (sample.at, sample.values, sample.unit) == (0, (1, 1, 1, 1, 4), "Count")
    assert published.total("NetworkPacketsOut", _ID) == 14


def test_no_packets_are_published_where_nobody_counts_them() -> None:
    minutes = Minutes(_BASIC)
    published = [minutes.then(measured(guest(0), at=60 * minute)) for minute in range(6)][-1]
    assert published.total("NetworkIn", _ID) == 0
    assert "NetworkPacketsIn" not in published.names
