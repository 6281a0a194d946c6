"""Kill -9 of every process at random moments, while people answer.

Servers and loops are killed as forks of a process that has imported everything (tests/faults/deaths/nursery.py), and
started again at once: so often would take days with the back-off of the supervisor. It is killed itself, with all that
it has started, and has to bring back what is killed beneath it, as real processes and with the real network.

Scale 1 takes about three quarters of an hour on two cores.
"""

from collections.abc import Iterator

from IA.protocol.files import LOOPS
from tests.faults.deaths.crippled import WRITES
from tests.faults.deaths.killed_loops import kill_loops
from tests.faults.deaths.killed_servers import kill_servers
from tests.faults.deaths.killed_supervisors import kill_children, kill_supervisors
from tests.faults.report import Row

SERVER_KILLS = 2000
LOOP_KILLS = 500  # of each
SUPERVISOR_KILLS = 180  # with only the server beneath it
SUPERVISOR_KILLS_WITH_LOOPS = 20  # and TensorBoard, and with the real network
CRIPPLED_KILLS = 60
LEAST_CRIPPLED = 20  # fewer may do no harm by chance
CHILD_KILLS = 4  # of each process under a supervisor
NO_HARM = "0 lost, 0 unreadable, 0 left"


def rows(scale: float) -> Iterator[Row]:
    """Server, loops, supervisor, and what a supervisor looks after."""
    server, loop, supervisor, with_loops, child = (
        max(round(kills * scale), 1)
        for kills in (SERVER_KILLS, LOOP_KILLS, SUPERVISOR_KILLS, SUPERVISOR_KILLS_WITH_LOOPS, CHILD_KILLS)
    )
    crippled = max(round(CRIPPLED_KILLS * scale), LEAST_CRIPPLED)
    tally = kill_servers(server)
    yield Row(f"{server:,} kills of the server under load", NO_HARM, str(tally), not tally.harmful)
    for without in WRITES:
        tally = kill_servers(crippled, without)
        yield Row(f"{tally.ends} kills of the server without {without}", "harm", str(tally), tally.harmful > 0)
    loops = kill_loops(loop)
    yield Row(
        f"{loop:,} kills each of {', '.join(LOOPS)}",
        "every answer 201, 0 lost, 0 unreadable, 0 left",
        str(loops),
        loops.is_good,
    )
    tally = kill_supervisors(supervisor, with_loops)
    yield Row(f"{tally.ends} kills of the supervisor", NO_HARM, str(tally), not tally.harmful)
    children = kill_children(child)
    yield Row(
        f"{child} of each process beneath the supervisor",
        "every answer 201 unless the server is down, 0 lost, all back, 0 left",
        str(children),
        children.is_good,
    )
