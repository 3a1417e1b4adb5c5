"""A list of cases for one fixture file.

A case calls one public function: `args` are its arguments as JSON, where "$0" stands for the first input (after the
`views` of that input, if it has any), and the words nan, inf, -inf and -0 for those numbers.

PyTorch computes in float64 from the float32 inputs, and the results are rounded to float32 once: an interpreter that
accumulates in float64 has no error of PyTorch's own to allow for. PyTorch's float32 result is compared too, as a check
on the case itself.
"""
import math
import zlib

import numpy as np
import torch

DTYPES = {
    np.dtype(name): short
    for name, short in [
        ('float32', 'f32'), ('float16', 'f16'), ('int32', 'i32'), ('uint32', 'u32'), ('int8', 'i8'), ('uint8', 'u8'), ('bool', 'bool'),
    ]
}


def encode_float(x):
    """The shortest decimal that parses to this float32, through the float64 that JSON gives."""
    x = np.float32(x)
    if math.isnan(x):
        return 'nan'
    if math.isinf(x):
        return 'inf' if x > 0 else '-inf'
    if x == 0:
        return '-0' if math.copysign(1, x) < 0 else 0
    number = float(str(x))
    assert np.float32(number) == x, x
    return int(number) if number == int(number) and abs(number) < 1e9 else number


def encode(array):
    array = np.asarray(array)
    flat = array.reshape(-1)
    data = [encode_float(x) for x in flat] if array.dtype.kind == 'f' else [int(x) for x in flat]
    if len(data) > 8 and len(set(map(str, data))) == 1:
        data = {'repeat': data[0]}
    return {'shape': list(array.shape), 'dtype': DTYPES[array.dtype], 'data': data}


def encode_arg(arg):
    if isinstance(arg, float):
        return encode_float(arg)
    if isinstance(arg, (list, tuple)):
        return [encode_arg(a) for a in arg]
    if isinstance(arg, dict):
        return {key: encode_arg(value) for key, value in arg.items()}
    return arg


def to_f32(values):
    with np.errstate(over='ignore'):
        return values.astype(np.float32)


def as_array(result, half=False):
    """A PyTorch result as an array of one of tiller's dtypes; `half`: floats as f16."""
    values = result.detach().resolve_conj().numpy()
    if values.dtype.kind == 'f':
        with np.errstate(over='ignore'):
            return values.astype(np.float16) if half else to_f32(values)
    return values if values.dtype in (np.bool_, np.int8, np.uint8) else values.astype(np.int32)


def view(x, steps):
    for name, *args in steps:
        if name == 'slice':
            dim, start, end, step = args
            x = x[(slice(None),) * dim + (slice(start, end, step),)]
        else:
            x = getattr(torch, name)(x, *args) if hasattr(torch, name) else getattr(x, name)(*args)
    return x


def rng_of(*words):
    return np.random.default_rng(zlib.crc32('/'.join(map(str, words)).encode()))


def decimals(rng, shape, low, high, digits=2):
    """Random float32 numbers that take few characters."""
    return np.asarray(np.round(rng.uniform(low, high, shape), digits), dtype=np.float32)


class Suite:
    def __init__(self):
        self.cases = []

    def known(self, op, name, args, inputs, outputs, **more):
        """A case whose outputs are known without PyTorch."""
        case = {'op': op, 'name': name, 'args': encode_arg(args), 'inputs': [encode(x) for x in inputs]}
        case.update(more)
        case['outputs'] = [encode(x) for x in outputs]
        self.cases.append(case)

    def add(self, op, name, args, inputs, fn, views=None, grads=True, close=True):
        """A case that `fn`, on PyTorch tensors, defines. `close`: float32 must agree to 1e-3 or so."""
        views = views or {}

        def run(dtype, track):
            tensors = []
            for x in inputs:
                x = torch.from_numpy(np.array(x.astype(np.int64) if x.dtype == np.uint32 else x))
                if x.is_floating_point():
                    x = x.to(dtype).requires_grad_(track)
                tensors.append(x)
            seen = [view(x, views.get(i, [])) for i, x in enumerate(tensors)]
            results = fn(*seen)
            return tensors, list(results) if isinstance(results, (tuple, list)) else [results]

        tensors, results = run(torch.float64, grads)
        floats = {x.dtype for x in inputs if x.dtype.kind == 'f'}
        half = floats == {np.dtype('float16')}
        outputs = [as_array(r, half) for r in results]
        if close and np.dtype('float16') not in floats:
            for ours, theirs in zip(outputs, run(torch.float32, False)[1]):
                np.testing.assert_allclose(ours, as_array(theirs), rtol=2e-4, atol=2e-5, err_msg=f'{op} {name}')
        more = {}
        if views:
            more['views'] = {str(i): steps for i, steps in views.items()}
        if any(r.requires_grad for r in results):
            rng = rng_of(op, name, 'cotangent')
            # Positions have no gradient, and so no weights.
            cotangents = [decimals(rng, tuple(r.shape) if r.requires_grad else (0,), -2, 2) for r in results]
            if half:
                cotangents = [c.astype(np.float16) for c in cotangents]
            weighted = [(r, torch.from_numpy(c).double()) for r, c in zip(results, cotangents) if r.requires_grad]
            torch.autograd.backward(*zip(*weighted))
            more['cotangents'] = [encode(c) for c in cotangents]
            more['grads'] = [
                None
                if not x.requires_grad
                else encode(np.zeros(x.shape, given.dtype) if x.grad is None else as_array(x.grad, given.dtype == np.float16))
                for x, given in zip(tensors, inputs)
            ]
        self.known(op, name, args, inputs, outputs, **more)
