#!/usr/bin/env python3
"""A model with convolutions in 8 bits, by ONNX Runtime's static quantisation, and what that costs in accuracy.

    benches/peer/int8.py --library libonnxruntime.so --out FOLDER [--program KOKODOKO] [--model models/drawn-world]
                         [--calibrate 140] [--judge 350]

Ranges are calibrated on drawn photos of training towns; both models are then judged by the program on the same drawn photos
of test towns, on ONNX Runtime. FOLDER gets model.onnx and manifest.toml, which run like any other model (`infer.model`,
`kokodoko evaluate`, `cargo bench --bench answers -- --model FOLDER`). Activations have 8 bits without a sign, weights 8 bits
a channel; the last layer and the maps stay float32. Python packages go to the environment of benches/peer/answers.py.
"""

import argparse
import csv
import hashlib
import json
import os
import pathlib
import re
import subprocess
import tempfile
import tomllib

import answers

CONVOLUTIONS_KEPT = {"cams"}


def tensors(photos, manifest):
    """What the network sees of each photo, `[1, 3, size, size]`."""
    import numpy
    from PIL import Image, ImageOps

    side, mean, std = (manifest["input"][key] for key in ("size", "mean", "std"))
    for path in photos:
        photo = ImageOps.fit(ImageOps.exif_transpose(Image.open(path)).convert("RGB"), (side, side), Image.Resampling.BILINEAR)
        pixels = (numpy.asarray(photo, numpy.float32) / 255 - numpy.float32(mean)) / numpy.float32(std)
        yield pixels.transpose(2, 0, 1)[None].copy()


def quantise(model, out, photos):
    """Writes the quantised model folder."""
    import onnx
    import onnxruntime
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    manifest = tomllib.loads((model / "manifest.toml").read_text())

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.rows = tensors(photos, manifest)

        def get_next(self):
            row = next(self.rows, None)
            return None if row is None else {"input": row}

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        plain, ready = (str(pathlib.Path(folder) / name) for name in ("plain.onnx", "ready.onnx"))
        # Weights that are stored in 8 bits become float32 constants, which are then rounded once.
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = plain
        onnxruntime.InferenceSession(str(model / "model.onnx"), options, providers=["CPUExecutionProvider"])
        quant_pre_process(plain, ready, skip_symbolic_shape=True)
        keep = [node.name for node in onnx.load(ready).graph.node if CONVOLUTIONS_KEPT & set(node.output)]
        settings = {"per_channel": True, "activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
        settings |= {"op_types_to_quantize": ["Conv", "Add", "MaxPool"], "nodes_to_exclude": keep}
        settings |= {"calibrate_method": CalibrationMethod.Percentile}
        quantize_static(ready, str(out / "model.onnx"), Reader(), **settings)
    network = (out / "model.onnx").read_bytes()
    words = (model / "manifest.toml").read_text()
    # Index and outlier score belong to the network that they were made with.
    words = re.sub(r"(?ms)^\[(?:index|street).*?(?=^\[\[|^\[(?!index|street)|\Z)", "", words)
    words = re.sub(r'(?m)^sha256 = ".*"$', f'sha256 = "{hashlib.sha256(network).hexdigest()}"', words, count=1)
    words = re.sub(r'(?m)^name = "(.*)"$', r'name = "\1-int8"', words, count=1)
    (out / "manifest.toml").write_text(words)


def judged(options, model, folder):
    """Photos that were answered rightly, and each photo's probabilities."""
    backend = {"KOKODOKO_INFER__BACKEND": "onnxruntime", "ORT_DYLIB_PATH": options.library}
    environment = {**os.environ, **backend, "KOKODOKO_INFER__MODEL": str(model)}
    with (folder / "truth.csv").open() as table:
        truth = [(folder / row["file"], row["area"]) for row in csv.DictReader(table)]
    command = [options.program, "predict", "--json", "--top", "99", *(str(path) for path, _ in truth)]
    answered = json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)
    right = sum(answer["areas"][0]["area"] == area for answer, (_, area) in zip(answered, truth, strict=True))
    return right, [{one["area"]: one["probability"] for one in answer["areas"]} for answer in answered]


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--program")
    parser.add_argument("--model", type=pathlib.Path, default=answers.ROOT / "models" / "drawn-world")
    parser.add_argument("--calibrate", type=int, default=140)
    parser.add_argument("--judge", type=int, default=350)
    options = parser.parse_args(arguments)
    options.program = options.program or answers.built("--bin", "kokodoko")

    def drawn(folder, count, split):
        command = [options.program, "world", "render", "--out", folder, "--seed", "11", "--split", split]
        subprocess.run([*command, "--count", str(count)], check=True, stdout=subprocess.DEVNULL)
        return pathlib.Path(folder)

    with tempfile.TemporaryDirectory() as learnt, tempfile.TemporaryDirectory() as fresh:
        quantise(options.model, options.out, sorted(drawn(learnt, options.calibrate, "train").glob("*.jpg")))
        drawn(fresh, options.judge, "test")
        (right, before), (right8, after) = (judged(options, model, pathlib.Path(fresh)) for model in (options.model, options.out))
    same = sum(max(a, key=a.get) == max(b, key=b.get) for a, b in zip(before, after, strict=True))
    apart = [max(abs(a[area] - b[area]) for area in a) for a, b in zip(before, after, strict=True)]
    print(f"right: float32 {right} of {len(before)}, int8 {right8}; the same best area {same}")
    print(f"probabilities differ by {sum(apart) / len(apart):.4f} on average, {max(apart):.4f} at most")


if __name__ == "__main__":
    answers.run(main, __file__)
