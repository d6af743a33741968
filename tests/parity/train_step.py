#!/usr/bin/env python3
"""Checks a training step of ours against PyTorch's in float64, and exported logits against torchvision's.

    tests/parity/train_step.py [--write] [PROGRAM]

PROGRAM (default: target/release/kokodoko) writes a step of ResNet-18 and ResNet-50 on fixed weights and a fixed batch
(`kokodoko export-reference --steps`). PyTorch repeats it in float64 (and, as a yardstick, in float32): logits, loss,
gradients, running statistics, and the step of Adam; each gradient must agree to a relative error of 1e-3. The exported
network must answer as torchvision's does with the same weights, which are also read back from a .pth file.

--write renews the values that the ordinary tests compare with (step-*.json, optimisers.json). PyTorch and torchvision
come from PyPI into an environment of the script's own (several gigabytes: this is why .ci/run leaves it out).
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import environment

PACKAGES = ["numpy", "onnxruntime", "safetensors", "torch", "torchvision"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
TOLERANCE = 1e-3
ARCHS = ["resnet18", "resnet50"]


class Case:
    """What the program wrote for one network."""

    def __init__(self, folder, arch):
        import numpy
        import torch
        from safetensors.torch import load_file

        self.arch, self.folder = arch, folder
        self.facts = json.loads((folder / f"{arch}.json").read_text())
        pixels = numpy.fromfile(folder / f"{arch}.input", "<f4").reshape(self.facts["shape"])
        self.input = torch.from_numpy(pixels)
        self.labels = torch.tensor(self.facts["labels"])
        self.start, self.gradients, self.after = (
            load_file(folder / f"{arch}.{name}.safetensors") for name in ("start", "gradients", "after")
        )

    def network(self, dtype):
        import torchvision

        model = getattr(torchvision.models, self.arch)(num_classes=7)
        missing, unexpected = model.load_state_dict(self.start, strict=False)
        assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
        return model.to(dtype)

    def step(self, dtype):
        """Logits in inference, loss, gradients and running statistics of one step."""
        import torch

        model = self.network(dtype).eval()
        with torch.no_grad():
            logits = model(self.input.to(dtype))
        model.train()
        criterion = torch.nn.CrossEntropyLoss(label_smoothing=self.facts["smoothing"])
        loss = criterion(model(self.input.to(dtype)), self.labels)
        loss.backward()
        gradients = {name: weight.grad for name, weight in model.named_parameters()}
        running = {name: value for name, value in model.named_buffers() if "running" in name}
        return logits, loss.item(), gradients, running


def distance(ours, theirs):
    """Relative error of a tensor."""
    return ((ours.double() - theirs.double()).norm() / theirs.double().norm()).item()


def worst(ours, theirs):
    """The largest relative error of all tensors, and whose it is."""
    return max((distance(ours[name], value), name) for name, value in theirs.items())


def adam(case):
    """Largest difference of a weight after Adam's step from our own gradients, in shares of the learning rate."""
    import torch

    rate, largest = case.facts["learning_rate"], 0.0
    for name, gradient in case.gradients.items():
        weight = torch.nn.Parameter(case.start[name].double())
        weight.grad = gradient.double()
        torch.optim.Adam([weight], lr=rate).step()
        largest = max(largest, (weight.detach() - case.after[name].double()).abs().max().item() / rate)
    return largest


def exported(case, logits):
    """Largest difference of a logit: ours, and ONNX Runtime's on our export, from torchvision's; and of the .pth file."""
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(str(case.folder / f"{case.arch}.onnx"), providers=["CPUExecutionProvider"])
    (answer,) = session.run(["logits"], {"input": case.input.numpy()})
    ours = torch.tensor(case.facts["logits"]).reshape(logits.shape).double()
    return (ours - logits).abs().max().item(), (torch.from_numpy(answer).double() - logits).abs().max().item()


def read_back(case, program):
    """Whether the program starts from torchvision's own .pth file and says so."""
    import torch

    path = case.folder / f"{case.arch}.pth"
    torch.save(case.network(torch.float32).state_dict(), path)
    command = [program, "export-reference", "--out", case.folder, "--weights", path]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stderr)
        return False
    from safetensors.torch import load_file

    again = load_file(case.folder / f"{case.arch}.weights.safetensors")
    return set(again) == set(case.start) and all(torch.equal(again[name], value) for name, value in case.start.items())


def sample(tensor):
    """A tensor in short: its norm and its largest entries."""
    flat = tensor.flatten()
    top = flat.abs().topk(min(3, flat.numel())).indices
    return {"norm": float(f"{tensor.norm().item():.7g}"), "largest": [[i.item(), float(f"{flat[i].item():.7g}")] for i in top]}


def write(case, logits, loss, gradients, running):
    """Renews the values that the ordinary tests compare with."""
    stored = {
        "loss": loss,
        "logits": [float(f"{v:.8g}") for v in logits.flatten().tolist()],
        "gradients": {name: sample(value) for name, value in gradients.items()},
        "running": {name: sample(value) for name, value in running.items()},
    }
    (HERE / f"step-{case.arch}.json").write_text(json.dumps(stored, separators=(",", ":")) + "\n")


def optimisers():
    """Three steps of each optimiser on four weights; the same gradients stand in src/train/parity.rs."""
    import torch

    builders = {
        "adam": lambda weights: torch.optim.Adam(weights, lr=0.1, weight_decay=0.01),
        "adamw": lambda weights: torch.optim.AdamW(weights, lr=0.1, weight_decay=0.01),
        "sgd": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    }
    results = {}
    for name, build in builders.items():
        weight = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5, 0.0], dtype=torch.float64))
        optimiser = build([weight])
        for gradient in [[0.1, -0.2, 0.3, 1e-3], [0.2, 0.1, -0.3, 1e-3], [-0.1, 0.4, 0.05, 1e-3]]:
            weight.grad = torch.tensor(gradient, dtype=torch.float64)
            optimiser.step()
        results[name] = weight.tolist()
    return results


def check(case, program, renew):
    """Prints the errors of one network; whether they are small enough."""
    import torch

    logits, loss, gradients, running = case.step(torch.float64)
    _, _, single, _ = case.step(torch.float32)
    gradient, where = worst(case.gradients, gradients)
    statistics, _ = worst(case.after, running)
    yardstick, _ = worst(single, gradients)
    own, export = exported(case, logits)
    step, read = adam(case), read_back(case, program)
    print(f"{case.arch}: loss {abs(case.facts['loss'] - loss):.1e}, gradients {gradient:.1e} ({where}; PyTorch's own "
          f"float32 {yardstick:.1e}), running statistics {statistics:.1e}, Adam {step:.1e} of the rate, logits {own:.1e}, "
          f"exported {export:.1e}, .pth read back: {read}")
    if renew:
        write(case, logits, loss, gradients, running)
    errors = [abs(case.facts["loss"] - loss), gradient, statistics, step, own, export]
    return read and all(error <= TOLERANCE for error in errors)


def main(arguments):
    renew = "--write" in arguments
    rest = [argument for argument in arguments if argument != "--write"]
    program = rest[0] if rest else str(ROOT / "target" / "release" / "kokodoko")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        subprocess.run([program, "export-reference", "--steps", "--out", folder], check=True)
        results = [check(Case(folder, arch), program, renew) for arch in ARCHS]
    if renew:
        (HERE / "optimisers.json").write_text(json.dumps(optimisers()) + "\n")
    if not all(results):
        sys.exit(f"PyTorch and we differ by more than {TOLERANCE}, and by more than its own float32")
    print("PyTorch and we agree")


if __name__ == "__main__":
    environment.run(main, __file__, "parity-torch-venv", PACKAGES)
