#!/usr/bin/env python3
"""Answers of a real NVIDIA Triton beside those of tract, over the same program and the same photos.

    python3 -m venv venv && venv/bin/pip install nvidia-pytriton onnxruntime
    venv/bin/python tests/parity/kserve.py target/release/kokodoko

Triton's own HTTP front end speaks the protocol here; the network behind it is run by ONNX Runtime in Python, since the
wheel brings no other backend. The exported configuration is parsed with Triton's own description of it. Not in CI: the
wheels are 450 MB, and the wheel's backend wants a shared libpython of its own minor version beside it (tried with Python
3.10 and LD_LIBRARY_PATH).
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime
from google.protobuf import text_format
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig
from tritonclient.grpc import model_config_pb2

PORT = 8650
PHOTOS = 70


def run(program, *arguments, **settings):
    environment = {**os.environ, **settings}
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{arguments}: {done.stderr}")
    return done.stdout


def main(program, folder):
    os.environ["KOKODOKO_QUIZ__DATABASE"] = str(folder / "kokodoko.sqlite")
    repository = folder / "repository"
    run(program, "models", "export", "--triton", str(repository))
    (home,) = repository.iterdir()
    config = text_format.Parse((home / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())
    assert config.name == home.name and config.HasField("dynamic_batching"), config
    session = onnxruntime.InferenceSession(home / "1" / "model.onnx")
    names = [output.name for output in config.output]

    @batch
    def infer(input):
        sizes.append(len(input))
        return dict(zip(names, session.run(names, {"input": input}), strict=True))

    sizes = []
    tensor = lambda described: Tensor(name=described.name, dtype=np.float32, shape=tuple(described.dims))
    photos = folder / "photos"
    run(program, "world", "render", "--out", str(photos), "--count", str(PHOTOS), "--seed", "7")
    files = sorted(str(path) for path in photos.glob("*.jpg"))
    settings = TritonConfig(http_port=PORT, http_address="127.0.0.1", allow_grpc=False, allow_metrics=False)
    with Triton(config=settings) as triton:
        triton.bind(
            model_name=config.name,
            infer_func=infer,
            inputs=[tensor(described) for described in config.input],
            outputs=[tensor(described) for described in config.output],
            config=ModelConfig(max_batch_size=config.max_batch_size),
        )
        triton.run()
        there = run(
            program,
            "predict",
            "--json",
            "--top",
            "7",
            *files,
            KOKODOKO_INFER__BACKEND="kserve",
            KOKODOKO_INFER__KSERVE_URL=f"http://127.0.0.1:{PORT}",
        )
    here = run(program, "predict", "--json", "--top", "7", *files, KOKODOKO_INFER__BACKEND="tract")
    worst = 0.0
    for one, other in zip(json.loads(there), json.loads(here), strict=True):
        assert one["model"]["backend"] == "kserve" and other["model"]["backend"] == "tract"
        by_area = [{area["area"]: area["probability"] for area in answer["areas"]} for answer in (one, other)]
        assert by_area[0].keys() == by_area[1].keys()
        worst = max(worst, *(abs(by_area[0][area] - by_area[1][area]) for area in by_area[0]))
    print(f"{PHOTOS} photos in batches of {sorted(set(sizes))}: probabilities differ by at most {worst:.1e}")
    assert worst < 1e-4


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(folder))
