"""The garbage collector does not hold requests up: what lives as long as the process is out of its rounds."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

from tests.bench.test_plans import every_hot_request

if TYPE_CHECKING:
    from tests.bank import Bank

MEASURE = """
import gc, json, time
from app.main import describing_app, for_good

def round_seconds():
    began = time.perf_counter()
    gc.collect()
    return time.perf_counter() - began

app = describing_app()
gc.collect()
before = min(round_seconds() for _ in range(3))
for_good(app)
after = min(round_seconds() for _ in range(3))
threshold, _, _ = gc.get_threshold()
print(json.dumps({"before": before, "after": after, "frozen": gc.get_freeze_count(), "threshold": threshold}))
"""


def test_a_full_round_of_a_started_service_takes_a_tenth_of_what_it_would() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["frozen"] > 100_000
    assert found["threshold"] > 700, "rounds are rarer than Python has them by itself"
    assert found["after"] < found["before"] / 10


async def test_hot_requests_leave_nothing_behind_that_only_the_collector_finds(bank: Bank) -> None:
    await bank.open_community(verification="recorder")
    await bank.kind()
    people = [await bank.volunteer() for _ in range(4)]
    volunteers = [str(person["id"]) for person in people]
    # What is made once is made.
    await every_hot_request(bank, volunteers[:2])
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await every_hot_request(bank, volunteers[2:])
        gc.collect()
        left = Counter(str(type(one)) for one in gc.garbage if type(one).__module__.startswith("app."))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == Counter()
