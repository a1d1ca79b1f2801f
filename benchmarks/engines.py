"""The engine that is measured: policy `realistic`, a fixed key, a fixed reference date."""

from __future__ import annotations

import hashlib

from masking.document import Engine
from masking.keys import MasterKey
from masking.policy.plan import Plan
from masking.policy.read import read_policy
from masking.report.manifest import MadeWith

POLICY = "realistic"
DATE = "2026-01-01"


def make_engine() -> tuple[Engine, MadeWith]:
    """A fresh engine, and what its manifest says of it."""
    keys = MasterKey(hashlib.sha256(b"benchmark").digest()).keyring()
    policy = read_policy(POLICY, reference_date=DATE)
    made_with = MadeWith(
        policy=policy.name,
        policy_sha256=policy.sha256,
        key_fingerprint=keys.fingerprint,
        project=keys.project,
        reference_date=DATE,
    )
    return Engine(Plan(policy, keys)), made_with
