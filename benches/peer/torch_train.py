"""PyTorch's training step on the same shapes as benches/training: channels last, SGD, the batch uploaded each time.

    python3 benches/peer/torch_train.py --device cuda --out FOLDER

Needs torch and torchvision. Prints one JSON object a row, and writes torch_train.json.
"""

import argparse
import json
import pathlib
import statistics
import time

import torch
import torchvision

CASES = ["resnet18@128x16", "resnet18@128x64", "resnet50@224x8", "resnet50@224x64"]
MODES = {"f32": None, "tf32": None, "amp-f16": torch.float16, "amp-bf16": torch.bfloat16}


def steps(case, device, mode, warm_up, count):
    arch, rest = case.split("@")
    side, batch = map(int, rest.split("x"))
    torch.manual_seed(1)
    tf32 = mode != "f32"
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
    model = getattr(torchvision.models, arch)(num_classes=7).to(device).to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    scaler = torch.amp.GradScaler(device, enabled=mode == "amp-f16")
    criterion = torch.nn.CrossEntropyLoss()
    host = torch.randn(batch, 3, side, side).to(memory_format=torch.channels_last)
    host_labels = torch.arange(batch) % 7
    if device == "cuda":
        host, host_labels = host.pin_memory(), host_labels.pin_memory()
    kind = MODES[mode]
    times, loss = [], float("nan")
    for step in range(warm_up + count):
        begin = time.perf_counter()
        pixels = host.to(device, non_blocking=True, memory_format=torch.channels_last)
        labels = host_labels.to(device, non_blocking=True)
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device, kind or torch.float32, enabled=kind is not None):
            value = criterion(model(pixels), labels)
        scaler.scale(value).backward()
        scaler.step(optimiser)
        scaler.update()
        loss = value.item()
        if device == "cuda":
            torch.cuda.synchronize()
        if step >= warm_up:
            times.append(time.perf_counter() - begin)
    return statistics.median(times), loss


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--case", action="append")
    parser.add_argument("--mode", action="append", choices=list(MODES))
    parser.add_argument("--warm-up", type=int, default=10)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    rows = []
    for case in options.case or CASES:
        for mode in options.mode or (MODES if options.device == "cuda" else ["f32"]):
            begin = time.perf_counter()
            seconds, loss = steps(case, options.device, mode, options.warm_up, options.steps)
            row = {
                "framework": f"torch-{mode}",
                "device": options.device,
                "case": case,
                "step_ms": seconds * 1e3,
                "images_per_second": int(case.split("x")[-1]) / seconds,
                "warm_up_s": time.perf_counter() - begin - seconds * options.steps,
                "loss": loss,
            }
            rows.append(row)
            print(json.dumps(row), flush=True)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "torch_train.json").write_text(json.dumps(rows, indent=1))


main()
