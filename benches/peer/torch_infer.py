"""PyTorch on the same ready tensors as benches/backends: photos a second, copies to the GPU and back included.

    python3 benches/peer/torch_infer.py --device cuda --out FOLDER

Needs torch and torchvision. Prints one JSON object a row, and writes torch_infer.json.
"""

import argparse
import json
import pathlib
import statistics
import time

import torch
import torchvision

NETWORKS = [("resnet18@128", torchvision.models.resnet18, 128), ("resnet50@224", torchvision.models.resnet50, 224)]


def measure(run, seconds):
    for _ in range(5):
        run()
    times, begin = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def captured(model, batch, side, amp):
    """The model as a CUDA graph over fixed memory."""
    inside = torch.zeros(batch, 3, side, side, device="cuda").to(memory_format=torch.channels_last)
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream), torch.autocast("cuda", torch.float16, enabled=amp, cache_enabled=False):
        for _ in range(3):
            model(inside)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph), torch.autocast("cuda", torch.float16, enabled=amp, cache_enabled=False):
        logits = model(inside)

    def run(host):
        inside.copy_(host, non_blocking=True)
        graph.replay()
        return logits.float().cpu()

    return run


def eager(model, device, amp):
    def run(host):
        inside = host.to(device, non_blocking=True, memory_format=torch.channels_last)
        with torch.autocast(device, torch.float16, enabled=amp):
            return model(inside).float().cpu()

    return run


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--batches", default="1,8,32,128")
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    cuda = options.device == "cuda"
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    modes = [("f32", False, False)] + ([("amp", True, False), ("amp-graphs", True, True)] if cuda else [])
    rows = []
    for name, network, side in NETWORKS:
        model = network(num_classes=7).eval().to(options.device).to(memory_format=torch.channels_last)
        for batch in map(int, options.batches.split(",")):
            hosts = [torch.randn(batch, 3, side, side).to(memory_format=torch.channels_last) for _ in range(2)]
            hosts = [host.pin_memory() for host in hosts] if cuda else hosts
            for mode, amp, graphs in modes:
                with torch.inference_mode():
                    run = captured(model, batch, side, amp) if graphs else eager(model, options.device, amp)
                    turn = iter(range(1 << 40))
                    seconds = measure(lambda: run(hosts[next(turn) % 2]), options.seconds)
                row = {
                    "backend": f"torch-{options.device}-{mode}",
                    "model": name,
                    "input": "tensors",
                    "batch": batch,
                    "rate": batch / seconds,
                    "run_ms": seconds * 1e3,
                }
                rows.append(row)
                print(json.dumps(row), flush=True)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "torch_infer.json").write_text(json.dumps(rows, indent=1))


main()
