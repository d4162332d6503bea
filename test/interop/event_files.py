"""Does TensorBoard read the event files of our runs?"""
import json

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def runs(cases):
    return [(path, path) for path in cases["runs"]]


def scalars(work, run):
    """Values of the run's history that TensorBoard does not show at their epoch, and others it shows."""
    events = EventAccumulator(str(work / run))
    events.Reload()
    shown = {
        (tag, event.step): event.value
        for tag in events.Tags()["scalars"]
        for event in events.Scalars(tag)
    }
    lines = (work / run / "history.jsonl").read_text().splitlines()
    expected = {}
    for record in map(json.loads, lines):
        step = record["epoch"]
        expected["loss/train", step] = record["loss"]
        expected["loss/validation", step] = record["valLoss"]
        expected["learning_rate", step] = record["learningRate"]
        expected["images_per_second", step] = record["imagesPerSecond"]
        for key, value in record["metrics"].items():
            expected[f"validation/{key}", step] = value
    expected = {key: value for key, value in expected.items() if value is not None}
    assert len(lines) == 4 and len(expected) > 40, f"{len(expected)} values in {len(lines)} epochs"
    wrong = [
        key
        for key, value in expected.items()
        if key not in shown or abs(shown[key] - value) > 1e-6 * abs(value)
    ]
    return len(wrong) + len(shown.keys() - expected.keys())


CHECKS = (("tensorboard: scalars that differ", runs, scalars, 0),)
