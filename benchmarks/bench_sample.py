"""The maker of sample exports in one process, against an orjson round trip of the lines it writes."""

from __future__ import annotations

import shutil
import time

import orjson

from benchmarks.export import MB, batches_of
from benchmarks.jobs import WORK
from benchmarks.report import Report
from benchmarks.scale import Scale
from masking.sample import write_sample


def main(scale: Scale) -> Report:
    """Make a sample, throw it away."""
    place = WORK / "sample"
    shutil.rmtree(place, ignore_errors=True)
    start = time.process_time()
    made = write_sample(place, scale.made_patients, seed=1, processes=1)
    seconds = time.process_time() - start
    floor = 0.0
    for documents in batches_of(made.export):
        start = time.process_time()
        for document in documents:
            orjson.dumps(orjson.loads(document))
        floor += time.process_time() - start
    shutil.rmtree(place)
    size = made.export_bytes / MB
    report = Report("Sample export, one process, CPU time", ("", "patients/s", "resources/s", "MB/s", "÷ orjson"))
    for name, spent in (("floor: orjson round trip", floor), ("fhir-mask sample", seconds)):
        rates = (f"{number / spent:,.0f}" for number in (made.patients, made.total, size))
        report.rows.append((name, *rates, f"{floor / spent:.3f}×"))
    report.figures = {
        "patients_per_second": round(made.patients / seconds, 1),
        "mb_per_second": round(size / seconds, 2),
        "ratio_to_orjson": round(floor / seconds, 4),
    }
    return report
