#!/usr/bin/env python3
"""Answers of real servers of the Open Inference Protocol beside those of tract, over the same program and the same photos.

    python3 -m venv venv && venv/bin/pip install kserve onnxruntime
    venv/bin/python tests/parity/inference_server.py target/release/kokodoko kserve
    venv/bin/pip install nvidia-pytriton tritonclient
    venv/bin/python tests/parity/inference_server.py target/release/kokodoko triton

The servers' own HTTP front ends speak the protocol here; the network behind them is the exported one, run by ONNX Runtime
in Python, since no registry has a Triton or an OpenVINO Model Server with a backend of their own. With Triton the exported
configuration is parsed with its own description of it. Not in CI: the wheels are 450 MB each, and Triton's wants a shared
libpython of its own minor version beside it (tried with Python 3.10 and LD_LIBRARY_PATH).
"""

import contextlib
import json
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

import numpy as np
import onnxruntime

PORT = 8650
PHOTOS = 70


def run(program, *arguments, **settings):
    environment = {**os.environ, **settings}
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{arguments}: {done.stderr}")
    return done.stdout


@contextlib.contextmanager
def triton(home, session, sizes):
    """NVIDIA Triton with the network as its Python backend."""
    from google.protobuf import text_format
    from pytriton.decorators import batch
    from pytriton.model_config import ModelConfig, Tensor
    from pytriton.triton import Triton, TritonConfig
    from tritonclient.grpc import model_config_pb2

    config = text_format.Parse((home / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())
    assert config.name == home.name and config.HasField("dynamic_batching"), config
    names = [output.name for output in config.output]

    @batch
    def infer(input):
        sizes.append(len(input))
        return dict(zip(names, session.run(names, {"input": input}), strict=True))

    tensor = lambda described: Tensor(name=described.name, dtype=np.float32, shape=tuple(described.dims))
    settings = TritonConfig(http_port=PORT, http_address="127.0.0.1", allow_grpc=False, allow_metrics=False)
    with Triton(config=settings) as server:
        server.bind(
            model_name=config.name,
            infer_func=infer,
            inputs=[tensor(described) for described in config.input],
            outputs=[tensor(described) for described in config.output],
            config=ModelConfig(max_batch_size=config.max_batch_size),
        )
        server.run()
        yield


def serve_kserve(home, sizes):
    import kserve

    session = onnxruntime.InferenceSession(home / "1" / "model.onnx")
    described = lambda values: [{"name": v.name, "datatype": "FP32", "shape": [-1, *v.shape[1:]]} for v in values]

    class Exported(kserve.Model):
        async def get_input_types(self):
            return described(session.get_inputs())

        async def get_output_types(self):
            return described(session.get_outputs())

        async def predict(self, payload, headers=None, response_headers=None):
            wanted = [output.name for output in payload.request_outputs or []]
            photos = payload.inputs[0].as_numpy()
            sizes.append(len(photos))
            outputs = []
            for name, values in zip(wanted, session.run(wanted, {"input": photos}), strict=True):
                outputs.append(kserve.InferOutput(name, list(values.shape), "FP32"))
                outputs[-1].set_data_from_numpy(values, binary_data=True)
            return kserve.InferResponse("", self.name, outputs)

    model = Exported(home.name)
    model.ready = True
    kserve.ModelServer(http_port=PORT, enable_grpc=False).start([model])


@contextlib.contextmanager
def kserve(home, _, sizes):
    """KServe's own server for Python, in a process of its own."""
    process = multiprocessing.get_context("fork").Process(target=serve_kserve, args=(home, sizes))
    process.start()
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/v2/health/ready").read()
                break
            time.sleep(0.1)
        yield
    finally:
        process.kill()
        process.join()


def main(program, server, folder):
    os.environ["KOKODOKO_QUIZ__DATABASE"] = str(folder / "kokodoko.sqlite")
    repository = folder / "repository"
    run(program, "models", "export", "--triton", str(repository))
    (home,) = repository.iterdir()
    session = onnxruntime.InferenceSession(home / "1" / "model.onnx")
    sizes = multiprocessing.Manager().list()
    photos = folder / "photos"
    run(program, "world", "render", "--out", str(photos), "--count", str(PHOTOS), "--seed", "7")
    files = sorted(str(path) for path in photos.glob("*.jpg"))
    ask = ["predict", "--json", "--top", "7", *files]
    with server(home, session, sizes):
        url = f"http://127.0.0.1:{PORT}"
        there = run(program, *ask, KOKODOKO_INFER__BACKEND="kserve", KOKODOKO_INFER__KSERVE_URL=url)
    here = run(program, *ask, KOKODOKO_INFER__BACKEND="tract")
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
        servers = {"triton": triton, "kserve": kserve}
        main(str(pathlib.Path(sys.argv[1]).resolve()), servers[sys.argv[2]], pathlib.Path(folder))
