#!/usr/bin/env python3
"""Checks exported networks against ONNX Runtime and the onnx checker.

    tests/parity/check_export.py [PROGRAM]

PROGRAM (default: target/release/kokodoko) writes ResNet-18, 34 and 50 with reference inputs and Burn's own outputs
(`kokodoko export-reference`); ONNX Runtime must give the same logits, features and feature maps to within 1e-3, and
the mean of each class activation map must be the logit. Python packages go to an environment of the script's own.
"""

import pathlib
import subprocess
import sys
import tempfile

import environment

PACKAGES = ["numpy", "onnx", "onnxruntime"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLERANCE = 1e-3


def check(path):
    """Prints and returns the largest differences of one model."""
    import numpy
    import onnx
    import onnxruntime

    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    pixels = numpy.fromfile(path.with_suffix(".input"), "<f4").reshape(2, 3, 64, 64)
    names = ["logits", "features", "feature_map", "cams"]
    logits, features, feature_map, cams = session.run(names, {"input": pixels})
    worst = {}
    for name, value in [("logits", logits), ("features", features), ("feature_map", feature_map)]:
        expected = numpy.fromfile(path.with_suffix(f".{name}"), "<f4").reshape(value.shape)
        worst[name] = float(abs(value - expected).max())
    worst["cams"] = float(abs(cams.mean(axis=(2, 3)) - logits).max())
    spread = float(logits.std())
    print(f"{path.stem:24}", "  ".join(f"{k} {v:.1e}" for k, v in worst.items()), f" (logits spread {spread:.2f})")
    # A network that answers nothing would agree with itself.
    return spread > 1e-2 and all(difference <= TOLERANCE for difference in worst.values())


def main(arguments):
    program = arguments[0] if arguments else str(ROOT / "target" / "release" / "kokodoko")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "export-reference", "--out", folder], check=True)
        models = sorted(pathlib.Path(folder).glob("*.onnx"))
        results = [check(path) for path in models]
    if len(models) < 9 or not all(results):
        sys.exit(f"the exporter and ONNX Runtime differ by more than {TOLERANCE}")
    print("the exporter and ONNX Runtime agree")


if __name__ == "__main__":
    environment.run(main, __file__, "parity-venv", PACKAGES)
