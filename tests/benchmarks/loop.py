"""Answers a running suite as a person would who knows the class folders, and prints what the loop gives back.

    python -m tests.benchmarks.loop 'http://127.0.0.1:8077/?token=...' --positive hat --answers 200

Prints the positives found beside those of a random order, and the time from an acknowledged answer to the first
ranking, as the server serves it, that has learnt it.
"""

import argparse
import sys
import time
import uuid

import httpx
import numpy as np


def main() -> None:
    """Answer, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="the link that the terminal printed")
    parser.add_argument("--positive", required=True, help="name of the class folder that is positive")
    parser.add_argument("--answers", type=int, default=200)
    parser.add_argument("--patience", type=float, default=10.0, help="seconds to wait for a ranking that has learnt")
    given = parser.parse_args()
    with httpx.Client(base_url=given.url.split("?")[0], follow_redirects=True, trust_env=False) as client:
        client.get("/api/status", params=dict(httpx.URL(given.url).params)).raise_for_status()
        report(client, given.positive, *answer(client, given.positive, given.answers, given.patience))


def answer(client: httpx.Client, positive: str, answers: int, patience_s: float) -> tuple[list[bool], list[float]]:
    """Answer one image at a time, each from the newest ranking.

    Returns:
        Whether each answer was positive; seconds until a ranking had learnt each.
    """
    me, found, waits_s = f"benchmark-{uuid.uuid4()}", [], []
    for _ in range(answers):
        images = client.get("/api/queue", params={"count": 1, "client": me}).json()["images"]
        if not images:
            break
        is_positive = images[0]["path"].split("/")[0] == positive
        label = "positive" if is_positive else "negative"
        body = {"image": images[0]["image"], "label": label, "client": me, "source": "api"}
        given = client.post("/api/annotations", json=body).raise_for_status().json()
        found.append(is_positive)
        waits_s.append(wait_for(client, given["positives"] + given["negatives"], patience_s))
    return found, waits_s


def wait_for(client: httpx.Client, labels: int, patience_s: float) -> float:
    """Seconds until the ranking has learnt so many answers; infinite if it does not in time."""
    began = time.perf_counter()
    while (waited_s := time.perf_counter() - began) < patience_s:
        ranking = client.get("/api/status").json()["ranking"]
        if ranking and ranking["labels"] >= labels:
            return waited_s
        time.sleep(0.005)
    return float("inf")


def report(client: httpx.Client, positive: str, found: list[bool], waits_s: list[float]) -> None:
    """Print the table."""
    status = client.get("/api/status").json()
    lines = [f"{len(found)} answers of {status['images']} images, positive: {positive}", "answers  positives"]
    lines += [f"{count:7d}  {sum(found[:count]):9d}" for count in (10, 25, 50, 100, 200, 400) if count <= len(found)]
    first = found.index(True) + 1 if any(found) else None
    p50, p95 = np.percentile(np.array(waits_s), [50, 95], method="lower")
    lines.append(f"first positive after {first} answers")
    lines.append(f"answer acknowledged to ranking that learnt it: p50 {p50:.3f} s, p95 {p95:.3f} s")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
