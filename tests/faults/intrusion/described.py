"""Cases that schemathesis makes of our OpenAPI, sound ones and unsound ones, sent to a real server."""

import contextlib
from collections import Counter

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from tests.faults.intrusion.hostile import DROPPED

EVENTS = "/api/events"  # an answer without an end
ANSWER_S = 10.0


def cases(url: str, token: str, count: int) -> tuple[Counter[int], list[str]]:
    """Send at least so many, spread over all operations: how often each status came, and what got a 5xx."""
    headers = {"Authorization": f"Bearer {token}"}
    schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json", headers=headers).exclude(path=EVENTS)
    operations = [result.ok() for result in schema.get_all_operations()]
    each = -(-count // (2 * len(operations)))
    statuses: Counter[int] = Counter()
    wrong: list[str] = []
    for round_number in range(20):  # an operation without a parameter has few cases of its own
        for operation in operations:
            for mode in GenerationMode:
                if statuses.total() >= count:
                    return statuses, wrong

                @seed(round_number)
                @settings(
                    max_examples=each,
                    deadline=None,
                    database=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                @given(case=operation.as_strategy(generation_mode=mode))
                def send(case: schemathesis.Case) -> None:
                    status = _status(case, url, headers)
                    statuses[status] += 1
                    if status >= 500:
                        wrong.append(f"{case.method} {case.formatted_path}: {status}")

                with contextlib.suppress(Unsatisfiable):  # nothing can be unsound where nothing is asked for
                    send()
    return statuses, wrong


def _status(case: schemathesis.Case, url: str, headers: dict[str, str]) -> int:
    try:
        return int(case.call(base_url=url, headers=headers, timeout=ANSWER_S).status_code)
    except OSError:  # what requests raises where there is no answer
        return DROPPED
