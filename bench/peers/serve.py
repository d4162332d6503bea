"""What every peer speaks: it says that it is ready, then takes as many steps as each line asks for."""

import argparse
import json
import sys
import time


def peak_mib() -> float:
    """Largest resident memory of this process so far."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


IMPORTED_MIB = None


def arguments() -> argparse.Namespace:
    global IMPORTED_MIB
    IMPORTED_MIB = peak_mib()
    parser = argparse.ArgumentParser()
    tasks = ["training", "inference", "features", "fine-tuning"]
    parser.add_argument("--task", choices=tasks, required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--layout", choices=["contiguous", "channels-last"], default="contiguous")
    return parser.parse_args()


def serve(step, parameters, versions) -> None:
    """`step()` does one step to its end; `parameters` are the shapes of what trains."""
    shapes = [list(shape) for shape in parameters]
    say({"parameters": shapes, "versions": versions, "importedMiB": IMPORTED_MIB})
    for line in sys.stdin:
        steps = json.loads(line)["steps"]
        begun = time.perf_counter()
        for _ in range(steps):
            step()
        say({"seconds": time.perf_counter() - begun})


def say(message) -> None:
    print(json.dumps(message), flush=True)
