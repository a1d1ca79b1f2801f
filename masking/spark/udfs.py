"""Any registered masker as a pandas UDF, for columns of any DataFrame."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from pyspark.sql import Column, functions
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import StringType

import masking.maskers  # noqa: F401 (fills the registry)
from masking.errors import ParameterError, UsageError
from masking.keys import MasterKey
from masking.maskers.base import Masker, Subkeys, registered
from masking.maskers.base import parameters as parameters_of
from masking.policy.problems import did_you_mean, one_of
from masking.spark.quiet import keep_commands_out_of_logs


class MaskColumn(Protocol):
    """What `udf` returns: takes the column to mask and, by name, columns of its context; gives the masked column."""

    def __call__(self, column: Column | str, **context: Column | str) -> Column:
        """Columns by name or as such; raises `UsageError` for a context that the masker does not take."""


def udf(masker: str | Masker, keys: Subkeys | MasterKey, **parameters: Any) -> MaskColumn:
    """A masker for DataFrame columns: `df.withColumn("ssn", udf("ssn", keyring)("ssn"))`.

    masker: the name of a registered one, with its `parameters`, or a masker itself. keys: a `Keyring`, or a `MasterKey`
    for that of the default project; it stays here, and workers get the subkeys of this masker alone. The function
    returned takes a column (other types than string are cast to it) and, by name, columns of its context:
    `udf("date_shift", keyring)("birth_date", subject="patient_id")`.
    Null stays null; a value that the masker cannot read becomes null.

    `UsageError` for an unknown masker or context, `ParameterError` for parameters the masker refuses.
    """
    bound = _make(masker, parameters).bind(keys.keyring() if isinstance(keys, MasterKey) else keys)
    keep_commands_out_of_logs()

    def apply(column: Column | str, **context: Column | str) -> Column:
        from masking.spark.column import OverBatches  # noqa: PLC0415 (pandas: those who mask documents do without)

        unknown = sorted(set(context) - set(bound.context))
        if unknown:
            takes = ", ".join(bound.context) or "no context"
            raise UsageError(f"this masker does not take {', '.join(unknown)}; it takes {takes}")
        names = tuple(context)
        columns = [functions.col(item) if isinstance(item, str) else item for item in (column, *context.values())]
        make: Any = pandas_udf  # whose overloads know no column count of one's choice
        function = make(OverBatches(bound, names).run, StringType())
        masked: Column = function(*(item.cast("string") for item in columns))
        return masked

    return apply


def _make(masker: str | Masker, parameters: dict[str, Any]) -> Masker:
    if isinstance(masker, Masker):
        if parameters:
            raise UsageError("parameters belong to a masker's name; this one has its own already")
        return masker
    kinds = registered()
    if masker not in kinds:
        hint = did_you_mean(masker, kinds, f"there are {', '.join(kinds)}")
        raise UsageError(f"there is no masker called {masker!r}; {hint}")
    known = {one.name: one for one in parameters_of(kinds[masker])}
    for name in parameters:
        if name not in known:
            raise ParameterError(
                name, f"masker {masker!r} has no such parameter", did_you_mean(name, known, one_of(known))
            )
    for name, one in known.items():
        if name not in parameters and one.default is one.default_factory is dataclasses.MISSING:
            raise ParameterError(name, f"masker {masker!r} needs it")
    return kinds[masker](**parameters)
