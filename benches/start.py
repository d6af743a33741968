#!/usr/bin/env python3
"""How soon the program is there, and what it holds when idle.

    benches/start.py [PROGRAM] [--rounds 5] [--idle 20] [--library libonnxruntime.so]

PROGRAM (default: target/release/kokodoko) serves the page with the built-in model. Times count from the start of the
process, medians over the rounds: until /health answers, and until a photo of 640 x 640 pixels is answered that was sent as
soon as the address was known. Memory is resident memory ten answers and IDLE seconds later, in which the allocator gives back what it does
not need; less the network's weights that is what everything else takes. With --library ONNX Runtime runs the network instead of tract. Needs nothing but Python.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
WEIGHTS = ROOT / "models" / "drawn-world" / "model.onnx"


def get(url, body=None, patience=30.0):
    """The body of the answer; asks again until somebody listens."""
    end = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=patience) as answer:
                return answer.read()
        except urllib.error.URLError as error:
            if isinstance(error, urllib.error.HTTPError) or time.monotonic() > end:
                raise
            time.sleep(0.001)


def resident(process):
    """MiB of memory."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))) / 1024


def start(program, environment, photo, wish, idle):
    """Seconds until `wish` ("health" or "answer"), and MiB of memory after so many idle seconds."""
    begin = time.monotonic()
    command = [program, "demo", "--bind", "127.0.0.1:0", "--print-url"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment) as child:
        try:
            url = child.stdout.readline().strip()
            if wish == "health":
                get(url + "health")
            else:
                get(url + "api/v1/locate", photo)
            took = time.monotonic() - begin
            for _ in range(10):
                get(url + "api/v1/locate", photo)
            time.sleep(idle)
            return took, resident(child)
        finally:
            child.terminate()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", nargs="?", default=str(ROOT / "target" / "release" / "kokodoko"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle", type=float, default=20.0)
    parser.add_argument("--library")
    options = parser.parse_args()
    environment = {**os.environ, "KOKODOKO_QUIZ__ENABLED": "false"}
    if options.library:
        environment |= {"KOKODOKO_INFER__BACKEND": "onnxruntime", "ORT_DYLIB_PATH": options.library}
    with tempfile.TemporaryDirectory() as folder:
        render = [options.program, "world", "render", "--out", folder, "--count", "1", "--seed", "7"]
        subprocess.run(render, check=True, stdout=subprocess.DEVNULL)
        photo = next(pathlib.Path(folder).glob("*.jpg")).read_bytes()
    wishes = {"health": 0, "answer": options.idle}
    once = lambda: [start(options.program, environment, photo, *wish) for wish in wishes.items()]
    rounds = [once() for _ in range(options.rounds)]
    median = lambda values: statistics.median(list(values))
    memory, weights = median(one[1][1] for one in rounds), WEIGHTS.stat().st_size / (1 << 20)
    print(f"start to ready         {median(one[0][0] for one in rounds):6.2f} s")
    print(f"start to first answer  {median(one[1][0] for one in rounds):6.2f} s")
    print(f"memory when idle       {memory:6.0f} MiB, of which the weights {weights:.0f}: {memory - weights:.0f} besides")
    print(f"size of the program    {os.path.getsize(options.program) / (1 << 20):6.0f} MiB")


if __name__ == "__main__":
    sys.exit(main())
