#!/usr/bin/python3
"""Writes goldens/optimizers.json: what PyTorch's optimizers make of a small network in ten steps.

    /usr/bin/python3 test/optim/generate.py

Everything is computed in float64, so that the goldens have no rounding of their own.
"""

import json
import pathlib

import torch

STEPS = 10
CONFIGS = [
    ("sgd", torch.optim.SGD, {"lr": 0.1}),
    ("sgd with weight decay", torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.05}),
    ("momentum", torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
    ("momentum with dampening", torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    ("nesterov", torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("adam", torch.optim.Adam, {"lr": 0.05}),
    ("adam with weight decay", torch.optim.Adam, {"lr": 0.02, "betas": [0.8, 0.95], "eps": 1e-6, "weight_decay": 0.1}),
    ("adamw", torch.optim.AdamW, {"lr": 0.05}),
    ("adamw with weight decay", torch.optim.AdamW, {"lr": 0.02, "betas": [0.8, 0.95], "weight_decay": 0.5}),
]

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)


def rounded(tensor):
    """Values that float32 holds exactly: what tiller starts from is what PyTorch started from."""
    return tensor.to(torch.float32).to(torch.float64)


x = rounded(torch.randn(8, 3))
y = rounded(torch.randn(8, 2))
start = [rounded(torch.randn(shape) * 0.5) for shape in [(4, 3), (4,), (2, 4), (2,)]]


def train(make, options):
    params = [p.clone().requires_grad_() for p in start]
    optimizer = make(params, **options)
    losses = []
    for step in range(STEPS):
        # The learning rate changes, as it does under a schedule.
        if step == 5:
            optimizer.param_groups[0]["lr"] *= 0.5
        w1, b1, w2, b2 = params
        loss = ((torch.tanh(x @ w1.T + b1) @ w2.T + b2 - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"losses": losses, "params": [p.tolist() for p in params]}


goldens = {
    "torch": torch.__version__,
    "x": x.tolist(),
    "y": y.tolist(),
    "start": [p.tolist() for p in start],
    "configs": [{"name": name, "kind": make.__name__, "options": options, **train(make, options)} for name, make, options in CONFIGS],
}
out = pathlib.Path(__file__).parent / "goldens" / "optimizers.json"
out.parent.mkdir(exist_ok=True)
out.write_text(json.dumps(goldens, separators=(",", ":")) + "\n")
