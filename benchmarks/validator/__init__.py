"""Valid in, valid out, by HAPI's word: `python -m benchmarks.validator`."""
