"""Every function at NaN, infinities, signed zeros, subnormal and extreme numbers, and the casts."""
import math

import numpy as np
import torch

from .suite import Suite, to_f32

VALUES = np.array(
    [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-40, -1e-40, 1.1754944e-38, -1.1754944e-38, 1e-30, -1e-30, 1e-7, -1e-7,
     0.25, 0.5, -0.5, 0.99999994, -0.99999994, 1.0, -1.0, 1.0000001, -1.0000001, 1.5, -1.5, 2.5, -2.5, 2.0, -3.0,
     3.1415927, 10.0, -10.0, 20.0, -20.0, 87.3, -87.3, 88.7, 89.0, 100.0, -100.0, 1e4, -1e4, 16777216.0, 2147483648.0,
     -2147483648.0, 4294967296.0, 1e10, -1e10, 1e30, -1e30, 3.4028235e38, -3.4028235e38], np.float32)

UNARY = {
    'neg': torch.neg, 'abs': torch.abs, 'sign': torch.sign, 'floor': torch.floor, 'ceil': torch.ceil,
    'round': torch.round, 'trunc': torch.trunc, 'reciprocal': torch.reciprocal, 'sqrt': torch.sqrt,
    'rsqrt': torch.rsqrt, 'exp': torch.exp, 'expm1': torch.expm1, 'log': torch.log, 'log1p': torch.log1p,
    'sin': torch.sin, 'cos': torch.cos, 'tan': torch.tan, 'asin': torch.asin, 'acos': torch.acos, 'atan': torch.atan,
    'sinh': torch.sinh, 'cosh': torch.cosh, 'tanh': torch.tanh, 'sigmoid': torch.sigmoid, 'erf': torch.erf,
    'isnan': torch.isnan, 'isinf': torch.isinf, 'isfinite': torch.isfinite,
}

PAIRED = np.array(
    [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-40, -1e-40, 1e-30, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 2.5, 3.0, -3.0, 7.0,
     -7.5, 1e10, -1e30, 3.4028235e38], np.float32)


def ordered(larger):
    """NaN wins, and of the two zeros the maximum is +0 and the minimum -0 (PyTorch takes whichever comes first)."""
    def fn(a, b):
        a, b = torch.broadcast_tensors(a, b)
        result = torch.maximum(a, b) if larger else torch.minimum(a, b)
        zeros = (a == 0) & (b == 0)
        negative = torch.signbit(a) & torch.signbit(b) if larger else torch.signbit(a) | torch.signbit(b)
        zero = torch.where(negative, torch.full_like(a, -0.0), torch.zeros_like(a))
        return torch.where(zeros, zero, result)
    return fn


BINARY = {
    'add': torch.add, 'sub': torch.sub, 'mul': torch.mul, 'div': torch.div, 'floorDivide': torch.floor_divide,
    'remainder': torch.remainder, 'fmod': torch.fmod, 'pow': torch.pow, 'maximum': ordered(True),
    'minimum': ordered(False), 'atan2': torch.atan2, 'eq': torch.eq, 'ne': torch.ne, 'lt': torch.lt, 'le': torch.le,
    'gt': torch.gt, 'ge': torch.ge,
}


# Where PyTorch's vectorised float32 functions overflow too early.
NARROW_OVERFLOWS = {'log1p': 3.4e38, 'sinh': 89, 'cosh': 89}


def check_with_float32(name, fn, inputs):
    """float32 must agree with float64, once rounded, on what is NaN, infinite, zero and negative, and nearly in value."""
    wide = to_f32(fn(*[torch.from_numpy(x).double() for x in inputs]).numpy())
    narrow = fn(*[torch.from_numpy(x) for x in inputs]).numpy()
    if name in NARROW_OVERFLOWS:
        kept = inputs[0] < NARROW_OVERFLOWS[name]
        wide, narrow = wide[kept], narrow[kept]
    np.testing.assert_array_equal(np.signbit(wide) & ~np.isnan(wide), np.signbit(narrow) & ~np.isnan(narrow), err_msg=name)
    np.testing.assert_allclose(wide, narrow, rtol=1e-4, atol=1.2e-38, err_msg=name)


def check_remainders(fn, inputs):
    """float32 loses remainders of large quotients in PyTorch; C's fmod is exact in every width."""
    wide = fn(*[torch.from_numpy(x).double() for x in inputs]).numpy()
    np.testing.assert_array_equal(wide, np.fmod(*[x.astype(np.float64) for x in inputs]))


def cast(values, dtype):
    """Truncates and saturates; NaN gives 0, and true as bool."""
    if dtype == 'bool':
        return values != 0
    if dtype == 'f32':
        return np.array([np.float32(int(x)) for x in values], np.float32)
    low, high = (-2**31, 2**31 - 1) if dtype == 'i32' else (0, 2**32 - 1)
    numbers = [0 if math.isnan(x) else high if x == math.inf else low if x == -math.inf else min(max(int(x), low), high)
               for x in map(float, values)]
    return np.array(numbers, np.int32 if dtype == 'i32' else np.uint32)


def cases():
    suite = Suite()
    for name, fn in UNARY.items():
        if not name.startswith('is'):
            check_with_float32(name, fn, [VALUES])
        suite.add(name, 'special', ['$0'], [VALUES], fn, grads=False, close=False)
    column, row = PAIRED[:, None], PAIRED[None, :]
    for name, fn in BINARY.items():
        if name == 'fmod':
            check_remainders(fn, [column, row])
        elif name in ('add', 'sub', 'mul', 'div', 'pow', 'maximum', 'minimum', 'atan2'):
            check_with_float32(name, fn, [column, row])
        suite.add(name, 'special', ['$0', '$1'], [column, row], fn, grads=False, close=False)

    odd = np.array([[math.nan, 1, 2], [3, math.nan, math.nan], [1, math.inf, -math.inf], [-0.0, 0.0, -0.0], [5, 5, 5]], np.float32)
    for name, fn in {'sum': torch.sum, 'prod': torch.prod, 'mean': torch.mean, 'max': torch.amax, 'min': torch.amin,
                     'argmax': torch.argmax, 'argmin': torch.argmin, 'logsumexp': torch.logsumexp,
                     'softmax': torch.softmax, 'logSoftmax': torch.log_softmax}.items():
        # A row of both zeros would show the order of PyTorch's loops.
        rows = odd if name in ('argmax', 'argmin') else odd[[0, 1, 2, 4]]
        suite.add(name, 'special', ['$0', 1], [rows], lambda x: fn(x, 1), grads=False, close=False)
    for name, zero in (('max', 0.0), ('min', -0.0)):
        suite.known(name, 'of both zeros', ['$0', 1], [np.array([[-0.0, 0.0], [0.0, -0.0], [-0.0, -0.0]], np.float32)],
                    [np.array([zero, zero, -0.0], np.float32)])
    suite.add('where', 'special', ['$0', '$1', '$2'], [VALUES > 0, VALUES, -VALUES], torch.where, grads=False)
    for bounds in ([-1, 1], [-math.inf, math.inf], [math.nan, 1], [-1, math.nan], [1, -1]):
        low, high = (float(b) for b in bounds)
        def clamp(x, low=low, high=high):
            return x.clamp(low, high)
        suite.add('clamp', f'special {bounds}', ['$0', low, high], [VALUES], clamp, grads=False)
    for name, fn in {'relu': torch.relu, 'gelu': torch.nn.functional.gelu, 'silu': torch.nn.functional.silu,
                     'softplus': torch.nn.functional.softplus, 'logSigmoid': torch.nn.functional.logsigmoid}.items():
        values = VALUES[np.isfinite(VALUES)] if name in ('gelu', 'silu') else VALUES[~np.signbit(VALUES) | (VALUES != 0)]
        suite.add(name, 'special', ['$0'], [values], fn, grads=False, close=False)

    integers = np.array([-2**31, -2**31 + 1, -16777217, -3, -1, 0, 1, 2, 255, 16777217, 2**31 - 1], np.int32)
    words = np.array([0, 1, 2, 255, 16777217, 2**31 - 1, 2**31, 2**32 - 129, 2**32 - 1], np.uint32)
    bools = np.array([True, False])
    close = np.array([2147483520, -2147483904, 4294967040, 0.9999999, -0.9999999, -1.0], np.float32)
    for dtype in ('i32', 'u32', 'bool'):
        suite.known('cast', f'f32 to {dtype}', ['$0', dtype], [VALUES], [cast(VALUES, dtype)])
        suite.known('cast', f'f32 near the limits to {dtype}', ['$0', dtype], [close], [cast(close, dtype)])
    for name, values in {'i32': integers, 'u32': words, 'bool': bools}.items():
        wide = values.astype(np.int64)
        results = {'f32': cast(wide, 'f32'), 'i32': wide.astype(np.int32), 'u32': wide.astype(np.uint32), 'bool': values != 0}
        for dtype, expected in results.items():
            suite.known('cast', f'{name} to {dtype}', ['$0', dtype], [values], [expected])
    suite.known('cast', 'f32 to f32', ['$0', 'f32'], [VALUES], [VALUES])
    return suite.cases
