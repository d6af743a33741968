#!/usr/bin/env python3
"""Training steps on the processor, ours and PyTorch's in turn, as a ratio.

    benches/peer/train_cpu.py [--bench PROGRAM] [--rounds N] [--threads N] [CASE...]

Cases are ARCH@SIDExBATCH (default: resnet18@128x16 resnet50@224x8). PROGRAM is what `cargo build --release --bench training`
builds (default: it is built). Each round runs a few steps of ours and a few of PyTorch's (channels last and not, the
quicker counts), both pinned to the same cores, so that other load on the machine meets both; the figure is the median
over the rounds of PyTorch's time over ours (above 1: we are quicker). Peak memory is that of the whole process.
Needs torch and torchvision: those of tests/parity/train_step.py are used.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = ROOT / "target" / "parity-torch-venv" / "bin" / "python"
WARM_UP = 2
CASES = ["resnet18@128x16", "resnet50@224x8"]


def torch_steps(case, steps, threads, channels_last):
    """Prints the median time of PyTorch's step: what benches/training does, in its terms."""
    import torch
    import torchvision

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    arch, rest = case.split("@")
    side, batch = map(int, rest.split("x"))
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = getattr(torchvision.models, arch)(num_classes=7).to(memory_format=layout)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    criterion = torch.nn.CrossEntropyLoss()
    pixels, labels = torch.randn(batch, 3, side, side), torch.arange(batch) % 7
    times = []
    for step in range(WARM_UP + steps):
        begin = time.perf_counter()
        loss = criterion(model(pixels.clone().to(memory_format=layout)), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        loss.item()
        if step >= WARM_UP:
            times.append(time.perf_counter() - begin)
    print(json.dumps({"step_ms": statistics.median(times) * 1e3}))


def run(command, cores, threads):
    """Step time in ms, and peak memory in MB, of a child pinned to the cores."""
    environment = dict(os.environ, RAYON_NUM_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
    child = subprocess.Popen(["taskset", "-c", cores, *map(str, command)], stdout=subprocess.PIPE, env=environment)
    text = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed")
    return json.loads(text.splitlines()[-1])["step_ms"], usage.ru_maxrss / 1024


def build():
    """The benchmark, built."""
    command = ["cargo", "build", "--release", "--bench", "training", "--message-format=json"]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [found for line in lines if (found := json.loads(line).get("executable"))][-1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", nargs="*", default=CASES)
    parser.add_argument("--bench")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--torch", choices=["plain", "channels-last"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.torch:
        torch_steps(options.cases[0], options.steps, options.threads, options.torch == "channels-last")
        return
    bench = options.bench or build()
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[: options.threads]))
    for case in options.cases or CASES:
        shared = ["--steps", options.steps]
        commands = {"ours": [bench, "--case", case, "--warm-up", WARM_UP, *shared]}
        for layout in ["plain", "channels-last"]:
            commands[layout] = [PYTHON, __file__, case, "--torch", layout, "--threads", options.threads, *shared]
        rounds = [{name: run(command, cores, options.threads) for name, command in commands.items()} for _ in range(options.rounds)]
        ratio = statistics.median(min(r["plain"][0], r["channels-last"][0]) / r["ours"][0] for r in rounds)
        median = {name: statistics.median(r[name][0] for r in rounds) for name in commands}
        memory = {name: max(r[name][1] for r in rounds) for name in commands}
        print(json.dumps({
            "case": case, "threads": options.threads, "rounds": options.rounds, "torch_over_ours": round(ratio, 3),
            "step_ms": {k: round(v) for k, v in median.items()}, "peak_mb": {k: round(v) for k, v in memory.items()},
        }), flush=True)


if __name__ == "__main__":
    main()
