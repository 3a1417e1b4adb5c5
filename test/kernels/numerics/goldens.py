"""Writes goldens.json: what PyTorch computes on a CPU from special values, as bits. Run: python3 goldens.py > goldens.json

In float64, rounded to float32 at the end: some builds of PyTorch vectorise float32 with wrong results at the ends (log1p of the
largest number is infinite, fmod overflows). Which zero maximum and minimum of zeros give is left open by PyTorch; ours is +0 and -0.
"""
import base64
import json
import struct

import torch

MIN_NORMAL = 2.0**-126
MAX = struct.unpack("<f", struct.pack("<I", 0x7F7FFFFF))[0]
VALUES = [
    float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.0, -2.0, 2.5, -2.5, 3.0, -3.0,
    0.3, -0.3, 7.25, -7.25, 88.8, -88.8, 104.0, -104.0, 1e5, -1e5, 16777217.0, 2.0**31, -(2.0**31), 1e10, -1e10, 1e-10, -1e-10,
    1e30, -1e30, MAX, -MAX, MIN_NORMAL, -MIN_NORMAL,
]
# Fewer for pairs.
SOME = [float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 7.25, -7.25, 1e10, -1e10, MAX, -MAX]


def maximum(a, b):
    return torch.where((a == 0) & (b == 0), a + b, torch.maximum(a, b))


def pack(tensor):
    if tensor.dtype == torch.float64:
        tensor = tensor.to(torch.float32)
    if tensor.dtype == torch.bool:
        tensor = tensor.to(torch.int32)
    return base64.b64encode(tensor.contiguous().numpy().tobytes()).decode()


x = torch.tensor(VALUES, dtype=torch.float32)
a = torch.tensor(SOME, dtype=torch.float32).repeat_interleave(len(SOME))
b = torch.tensor(SOME, dtype=torch.float32).repeat(len(SOME))

UNARY = {
    name: getattr(torch, name)
    for name in "neg abs sign floor ceil round trunc reciprocal sqrt rsqrt exp expm1 log log1p sin cos tan asin acos atan sinh cosh "
    "tanh sigmoid erf erfc erfinv log2 log10 isnan isinf isfinite".split()
}
BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "floorDiv": torch.floor_divide,
    "remainder": torch.remainder, "fmod": torch.fmod, "pow": torch.pow, "max": maximum, "min": lambda a, b: -maximum(-a, -b),
    "atan2": torch.atan2, "eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le,
}
points = torch.linspace(-4.5, 4.5, 181, dtype=torch.float64)
print(json.dumps({
    "torch": torch.__version__,
    "x": pack(x), "a": pack(a), "b": pack(b),
    "unary": {name: pack(fn(x.double())) for name, fn in UNARY.items()},
    "binary": {name: pack(fn(a.double(), b.double())) for name, fn in BINARY.items()},
    "erf": {"x": points.tolist(), "y": torch.erf(points).tolist()},
}))
