"""Parquet: read batch by batch inside a budget, because the footer of a small file can promise, or hide, any size.

Typed values become text by one rule, so that a table means the same in every format: whole numbers without ".0", other numbers as
the shortest text that gives the same number again, booleans as true/false, dates and times in ISO 8601, null and NaN as missing.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from automl.data.delimited import check_size
from automl.data.limits import TableLimits, in_megabytes
from automl.data.names import check_names, shown
from automl.errors import BadInput

_BATCH = 4_096


def read_parquet(path: Path, limits: TableLimits) -> pa.Table:
    """All columns as strings, null where the file has null or NaN."""
    try:
        with pq.ParquetFile(path) as file:
            names = check_names(file.schema_arrow.names, limits)
            _check_footer(file, len(names), limits)
            texts = [field.name for field in file.schema_arrow if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
        # texts stay dictionaries until they are weighed: a few kilobytes can stand for gigabytes of repetition
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            table = _read_batches(file, names, limits)
    except (pa.ArrowException, OSError, UnicodeDecodeError, EOFError) as error:
        raise BadInput(f"the Parquet file cannot be read: {str(error).splitlines()[0][:200] if str(error) else 'it is damaged'}") from error
    if table.num_rows == 0:
        raise BadInput("the table has a header and no rows")
    return table


def _check_footer(file: pq.ParquetFile, columns: int, limits: TableLimits) -> None:
    """A first look only: what the footer admits. The batches are counted as well."""
    check_size(file.metadata.num_rows, columns, limits)
    declared = sum(file.metadata.row_group(index).total_byte_size for index in range(file.metadata.num_row_groups))
    if declared > limits.bytes * 2:
        raise BadInput(f"the Parquet file unpacks to {in_megabytes(declared)}; the limit is {in_megabytes(limits.bytes * 2)}")
    for field in file.schema_arrow:
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
            raise BadInput(f"column {shown(field.name)} holds values of type {field.type}; only numbers, texts, booleans, dates and times can be read")


def _read_batches(file: pq.ParquetFile, names: tuple[str, ...], limits: TableLimits) -> pa.Table:
    schema = pa.schema([(str(index), pa.large_string()) for index in range(len(names))])
    batches, rows, size = [], 0, 0
    for batch in file.iter_batches(batch_size=_BATCH, use_threads=False):
        rows += batch.num_rows
        check_size(rows, len(names), limits)
        size += sum(map(_decoded_bytes, batch.columns))
        if size > limits.bytes * 2:
            raise BadInput(f"the Parquet file unpacks to more than the limit of {in_megabytes(limits.bytes * 2)}")
        columns = [_as_text(batch.column(index), name) for index, name in enumerate(names)]
        batches.append(pa.RecordBatch.from_arrays(columns, schema=schema))
    return pa.Table.from_batches(batches, schema=schema).rename_columns(list(names))


def _decoded_bytes(values: pa.Array) -> int:
    if not pa.types.is_dictionary(values.type):
        return int(values.nbytes)
    # text of the dictionary, as often as it is used
    lengths = pc.binary_length(pc.cast(values.dictionary, pa.large_string()))
    return int(pc.sum(lengths.take(values.indices)).as_py() or 0)


def _as_text(values: pa.Array, name: str) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pa.types.is_floating(kind):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, kind), values)
    try:
        text = pc.cast(values, pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadInput(f"column {shown(name)} holds values of type {kind}, which have no text form here") from error
    if pa.types.is_floating(kind):
        text = _whole_numbers_plainly(values.cast(pa.float64()), text)
    if pa.types.is_decimal(kind):
        text = pc.replace_substring_regex(text, r"^(-?\d+)\.0+$", r"\1")
    if pa.types.is_timestamp(kind):
        text = pc.replace_substring_regex(pc.replace_substring(text, " ", "T", max_replacements=1), r"\.0+(Z?)$", r"\1")
    if (pa.types.is_string(kind) or pa.types.is_large_string(kind)) and pc.any(pc.match_substring(text, "\x00")).as_py():
        raise BadInput(f"column {shown(name)} holds a NUL character; the file is damaged, or is no table")
    return text


def _whole_numbers_plainly(values: pa.Array, text: pa.Array) -> pa.Array:
    """123456789012 where Arrow writes 1.23456789012e+11; from 1e15 on Arrow's form stays."""
    whole = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), 1e15))
    plain = pc.cast(pc.cast(pc.if_else(whole, values, 0.0), pa.int64()), pa.large_string())
    return pc.if_else(whole, plain, text)
