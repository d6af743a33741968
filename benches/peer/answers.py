#!/usr/bin/env python3
"""The obvious Python beside `benches/answers`: the same photos, network and processor, from JPEG bytes to answers.

    benches/peer/answers.py --library libonnxruntime.so [--bench PROGRAM] [--program KOKODOKO] [--rounds 3] [--seconds 3]
                            [--network resnet50@224] [--size 640x640]

Pillow and torchvision's transforms make the tensor; ONNX Runtime runs the same network, PyTorch torchvision's of the same
architecture with random weights (channels last), whose answers mean nothing but whose time does. Photos are decoded by as
many threads as there are processors while the network runs, in batches of 8, as a server would. Each round measures ours and
then both, so that other load on the machine meets all; figures are medians over the rounds, in photos a second and in
milliseconds of processor time a photo. Last, how far our answers about the photos are from those of Pillow and ONNX Runtime.
PROGRAM and KOKODOKO are what `cargo build --release --bench answers --bin kokodoko` makes (default: it is done). Photos,
networks and an environment of the script's own go to target/.
"""

import argparse
import concurrent.futures
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
import tomllib

PACKAGES = ["numpy", "pillow", "onnx", "onnxruntime", "torch", "torchvision"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "parity"))

import environment  # noqa: E402

FOLDER = ROOT / "target" / "peer-answers"
BATCH = 8


def run(main, script):
    """Calls `main` in the environment of the scripts beside this one."""
    environment.run(main, script, "peer-venv", PACKAGES)


def built(*what):
    """The program that cargo builds."""
    command = ["cargo", "build", "--release", "--message-format=json", *what]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.splitlines()
    return [path for line in lines if (path := json.loads(line).get("executable"))][-1]


class Peer:
    """From bytes to logits, as one writes it."""

    def __init__(self, folder):
        import onnxruntime
        import torch
        import torchvision

        self.manifest = tomllib.loads((folder / "manifest.toml").read_text())
        side, mean, std = (self.manifest["input"][key] for key in ("size", "mean", "std"))
        self.transform = torchvision.transforms.Compose(
            [
                torchvision.transforms.Resize(side, antialias=True),
                torchvision.transforms.CenterCrop(side),
                torchvision.transforms.ToTensor(),
                torchvision.transforms.Normalize(mean, std),
            ]
        )
        self.session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
        network = getattr(torchvision.models, self.manifest["arch"])(num_classes=len(self.manifest["labels"]))
        self.network = network.eval().to(memory_format=torch.channels_last)
        self.pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())

    def tensor(self, photo):
        from PIL import Image, ImageOps

        return self.transform(ImageOps.exif_transpose(Image.open(io.BytesIO(photo))).convert("RGB"))

    def by_onnxruntime(self, batch):
        import numpy

        return self.session.run(["logits", "cams", "features"], {"input": numpy.stack([one.numpy() for one in batch])})[0]

    def by_torch(self, batch):
        import torch

        with torch.inference_mode():
            return self.network(torch.stack(batch).to(memory_format=torch.channels_last)).numpy()

    def rate(self, run, photos, seconds):
        """Photos a second, and milliseconds of processor time a photo; the next batch is decoded while one runs."""
        submit = lambda turn: [
            self.pool.submit(self.tensor, photos[(turn * BATCH + i) % len(photos)]) for i in range(BATCH)
        ]
        run([one.result() for one in submit(0)])
        ahead, turn, done = submit(1), 1, 0
        begin, worked = time.perf_counter(), time.process_time()
        while time.perf_counter() - begin < seconds or done < 2 * BATCH:
            ready, turn = ahead, turn + 1
            ahead = submit(turn)
            run([one.result() for one in ready])
            done += BATCH
        took, work = time.perf_counter() - begin, time.process_time() - worked
        for one in ahead:
            one.result()
        return done / took, 1e3 * work / done


def ours(options, network, size):
    command = [options.bench, "--library", options.library, "--photos", str(FOLDER), "--rounds", "1"]
    command += ["--seconds", str(options.seconds), "--network", network, "--size", size, "--batch", str(BATCH)]
    row = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1].split()
    assert row[:2] == [network, size], row
    return float(row[3]), float(row[-1])


def compare(options, peer, network, names):
    """How far our answers are from those of Pillow and ONNX Runtime."""
    import numpy

    backend = {"KOKODOKO_INFER__BACKEND": "onnxruntime", "ORT_DYLIB_PATH": options.library}
    environment = {**os.environ, **backend, "KOKODOKO_INFER__MODEL": str(FOLDER / network)}
    command = [options.program, "predict", "--json", "--top", "99", *map(str, names)]
    answers = json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)
    labels = [label["area"] for label in peer.manifest["labels"]]
    apart, same = [], 0
    for name, answer in zip(names, answers, strict=True):
        logits = peer.by_onnxruntime([peer.tensor(name.read_bytes())])[0] / peer.manifest["temperature"]
        shares = numpy.exp(logits - logits.max())
        shares = dict(zip(labels, (shares / shares.sum()).tolist(), strict=True))
        theirs = {found["area"]: found["probability"] for found in answer["areas"]}
        apart.append(max(abs(shares[area] - theirs[area]) for area in theirs))
        same += max(shares, key=shares.get) == max(theirs, key=theirs.get)
    mean, most = statistics.mean(apart), max(apart)
    print(f"{network}: the same best area for {same} of {len(names)} photos; probabilities differ by {mean:.4f} on average, {most:.4f} at most")


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", required=True)
    parser.add_argument("--bench")
    parser.add_argument("--program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--network", default="")
    parser.add_argument("--size", default="")
    options = parser.parse_args(arguments)
    options.bench = options.bench or built("--bench", "answers")
    options.program = options.program or built("--bin", "kokodoko")
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not (FOLDER / "drawn").exists():
        subprocess.run([options.bench, "--photos", str(FOLDER), "--steps"], check=True, stdout=subprocess.DEVNULL)
    print(f"{'network':14}{'photos':12}{'ours':>18}{'+ ONNX Runtime':>18}{'+ PyTorch':>18}{'ours to each':>18}{'in work':>18}   1/s (ms)")
    for network in ("resnet18@128", "resnet50@224"):
        if not network.startswith(options.network):
            continue
        peer = Peer(FOLDER / network)
        for size in ("640x640", "1280x720", "4032x3024"):
            if not size.startswith(options.size):
                continue
            names = sorted(FOLDER.glob(f"{size}.*.jpg"))
            photos = [name.read_bytes() for name in names]
            rounds = []
            for _ in range(options.rounds):
                peers = [peer.rate(run, photos, options.seconds) for run in (peer.by_onnxruntime, peer.by_torch)]
                rounds.append([ours(options, network, size), *peers])
            middle = lambda value: statistics.median(value(one) for one in rounds)
            cells = [f"{middle(lambda one: one[i][0]):.1f} ({middle(lambda one: one[i][1]):.1f})" for i in range(3)]
            faster = ", ".join(f"{middle(lambda one: one[0][0] / one[i][0]):.2f}" for i in (1, 2))
            lighter = ", ".join(f"{middle(lambda one: one[i][1] / one[0][1]):.2f}" for i in (1, 2))
            print(f"{network:14}{size:12}" + "".join(f"{cell:>18}" for cell in [*cells, faster, lighter]), flush=True)
        if network == "resnet18@128":
            compare(options, peer, network, sorted(FOLDER.glob("*.jpg")))


if __name__ == "__main__":
    run(main, __file__)
