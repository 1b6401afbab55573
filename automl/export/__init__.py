"""A fitted model, with its encoding, as one file that other programs can run (ONNX), checked against the model it came from.

    export = export_model(model, training_rows)      # content, and what was measured or why there is none

- `graph`       an ONNX graph as it grows; what is the same is there once
- `columns`     how a table's cells enter: texts as strings, numbers, dates as days; `calendar`: the parts of a date
- `constant`, `linear`, `trees`, `network`: what fold models of each kind add to the raw score
- `onnx_model`  the whole: members to raw score, raw score to probabilities or values
- `parity`      both models on the same rows; `onnx_export` puts it together

onnx and onnxruntime are imported when an export is asked for, and not before.
"""
