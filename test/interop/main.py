"""Holds Hilum's files against other tools: `python main.py WORK`.

WORK holds `cases.json`, which names the files and says what is in them, and gets a folder `theirs`
of files that the other tools write. Prints a JSON list of rows: check, subject, measured, limit.
"""
import json
import pathlib
import sys

import event_files
import onnx_files
import probabilities
import safetensors_files

CHECKS = (
    *onnx_files.CHECKS,
    *probabilities.CHECKS,
    *safetensors_files.CHECKS,
    *event_files.CHECKS,
)


def main():
    work = pathlib.Path(sys.argv[1])
    cases = json.loads((work / "cases.json").read_text())
    (work / "theirs").mkdir(exist_ok=True)
    rows = []
    for check, subjects, measure, limit in CHECKS:
        for subject, case in subjects(cases):
            try:
                measured = float(measure(work, case))
            except Exception as error:  # A tool's refusal is a result.
                measured = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            rows.append({"check": check, "subject": subject, "measured": measured, "limit": limit})
    json.dump(rows, sys.stdout)


main()
