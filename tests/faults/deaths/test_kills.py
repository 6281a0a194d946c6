"""A few kills of each process; `python -m tests.faults kills` does thousands."""

import pytest

from tests.faults.deaths.killed_loops import kill_loops
from tests.faults.deaths.killed_servers import kill_servers
from tests.faults.deaths.killed_supervisors import kill_supervisors

pytestmark = pytest.mark.processes


def test_kills_of_the_server() -> None:
    """What was acknowledged is there after each of some kills, everything can be read, and nothing is left over."""
    tally = kill_servers(4)
    assert not tally.harmful, tally
    assert tally.ends == 4


def test_the_harness_can_fail() -> None:
    """Files that are written in place are torn before long."""
    assert any(kill_servers(2, "the replacing of whole files", seed).harmful for seed in range(20))


def test_kills_of_the_loops() -> None:
    """Every answer is acknowledged while loops are killed; then they catch up."""
    meanwhile = kill_loops(3)
    assert meanwhile.is_good, meanwhile
    assert meanwhile.acknowledged


def test_kills_of_the_supervisor() -> None:
    """What it has started ends with it, and nothing is lost."""
    tally = kill_supervisors(1, with_loops=0)
    assert not tally.harmful, tally
