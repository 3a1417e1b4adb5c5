"""PyTorch for the benchmarks: reads a JSON command per line, answers with a JSON object per line.

prepare: bench, inputs (files of raw numbers with dtype and shape) or training (weights, batches, Adam)
run:     runs so many times; answers with the milliseconds that they took together
result:  writes the result, or the losses of the first steps, to a file
"""

import json
import math
import os
import sys
import time

# Before torch, which must not find the folder of this file first.
sys.path = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]
import numpy  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

COMPARED_STEPS = 5


def attention(q, k, v):
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    return torch.softmax(scores, -1) @ v


def attention_backward(q, k, v, dy):
    arguments = [x.detach().requires_grad_() for x in (q, k, v)]
    with torch.enable_grad():
        return torch.autograd.grad(attention(*arguments), arguments, dy)


def chain(x, w):
    for _ in range(500):
        x = torch.cumsum(x @ w, 1)
    return x


OPERATIONS = {
    "matmul512": torch.matmul,
    "matmul1024": torch.matmul,
    "matvec4096": torch.matmul,
    "elementwise2M": lambda a, b, c: torch.sigmoid(a * b + c) * a,
    "softmax2048x1024": lambda x: torch.softmax(x, -1),
    "layerNorm2048x1024": lambda x, w, b: F.layer_norm(x, w.shape, w, b),
    "sumRows": lambda x: x.sum(1),
    "sumColumns": lambda x: x.sum(0),
    "conv3x3": lambda x, w: F.conv2d(x, w, padding=1),
    "depthwise3x3": lambda x, w: F.conv2d(x, w, padding=1, groups=w.shape[0]),
    "attention": attention,
    "attentionBackward": attention_backward,
    "cumsum": lambda x: torch.cumsum(x, -1),
    "sort": lambda x: torch.sort(x, -1).values,
    "gather": lambda x, index: torch.index_select(x, 0, index),
    "scatterAdd": lambda x, index, source: torch.index_add(x, 0, index, source),
    "overheadChain": chain,
}


def load(array):
    numbers = numpy.fromfile(array["file"], dtype={"f32": numpy.float32, "i32": numpy.int32}[array["dtype"]])
    return torch.from_numpy(numbers.reshape(array["shape"]))


class Operation:
    def __init__(self, command):
        self.function = OPERATIONS[command["bench"]]
        self.inputs = [load(x) for x in command["inputs"]]

    def run(self):
        with torch.no_grad():
            self.function(*self.inputs)

    def result(self):
        with torch.no_grad():
            results = self.function(*self.inputs)
        results = results if isinstance(results, tuple) else (results,)
        return torch.cat([x.reshape(-1) for x in results]).numpy()


class Training:
    """A perceptron with Adam, as PyTorch's users write it."""

    def __init__(self, command):
        weights = [load(x) for x in command["weights"]]
        layers = []
        for weight, bias in zip(weights[::2], weights[1::2]):
            linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
            with torch.no_grad():
                linear.weight.copy_(weight)
                linear.bias.copy_(bias)
            layers += [linear, torch.nn.ReLU()]
        self.model = torch.nn.Sequential(*layers[:-1])
        adam = command["adam"]
        self.adam = torch.optim.Adam(
            self.model.parameters(), lr=adam["lr"], betas=(adam["beta1"], adam["beta2"]), eps=adam["epsilon"]
        )
        self.batches = [(load(images), load(labels).long()) for images, labels in command["batches"]]
        self.steps = 0
        self.losses = [self.run() for _ in range(COMPARED_STEPS)]

    def run(self):
        images, labels = self.batches[self.steps % len(self.batches)]
        self.steps += 1
        self.adam.zero_grad()
        loss = F.cross_entropy(self.model(images), labels)
        loss.backward()
        self.adam.step()
        return loss.item()

    def result(self):
        return numpy.array(self.losses, dtype=numpy.float32)


def blas():
    """The BLAS library that was loaded: what decides how fast products are."""
    try:
        with open("/proc/self/maps") as maps:
            loaded = maps.read()
    except OSError:
        return "unknown BLAS"
    known = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS", "atlas": "ATLAS", "libblas": "the slow reference BLAS"}
    return next((name for part, name in known.items() if part in loaded), "unknown BLAS")


def answer(**message):
    print(json.dumps(message), flush=True)


def main():
    torch.set_num_threads(int(sys.argv[1]))
    answer(version=torch.__version__, threads=torch.get_num_threads(), blas=blas())
    work = None
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if command["do"] == "prepare":
                work = Training(command) if "weights" in command else Operation(command)
                answer()
            elif command["do"] == "run":
                start = time.perf_counter()
                for _ in range(command["times"]):
                    work.run()
                answer(ms=(time.perf_counter() - start) * 1000)
            else:
                work.result().tofile(command["file"])
                answer()
        except Exception as error:  # the benchmark goes on without it
            answer(error=f"{type(error).__name__}: {error}")


main()
