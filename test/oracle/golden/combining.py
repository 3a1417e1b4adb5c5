"""Composed functions of two and three operands."""
import math

import numpy as np
import torch

from .elementwise import BROADCASTS, floats
from .special import PAIRED
from .suite import Suite


def fmax(a, b):
    return torch.fmax(*torch.broadcast_tensors(a, b))


def fmin(a, b):
    return torch.fmin(*torch.broadcast_tensors(a, b))


# name: (function, range of the first, range of the second operand, has gradients)
BINARY = {
    'copysign': (torch.copysign, (-4, 4), (-4, 4), True),
    'hypot': (torch.hypot, (-4, 4), (0.5, 4), True),
    'logaddexp': (torch.logaddexp, (-9, 9), (-9, 9), True),
    'logaddexp2': (torch.logaddexp2, (-9, 9), (-9, 9), True),
    'fmax': (fmax, (-4, 4), (-4, 4), True),
    'fmin': (fmin, (-4, 4), (-4, 4), True),
    'xlogy': (torch.xlogy, (-4, 4), (0.2, 4), True),
    'xlog1py': (torch.special.xlog1py, (-4, 4), (-0.8, 4), True),
    'ldexp': (torch.ldexp, (-4, 4), (-3, 3), True),
    'floatPower': (lambda a, b: torch.pow(a, b), (0.2, 3), (-2.5, 2.5), True),
    'nextafter': (None, (-4, 4), (-4, 4), False),
    'trueDivide': (torch.true_divide, (-4, 4), (0.5, 4), True),
    'divide': (torch.divide, (-4, 4), (0.5, 4), True),
    'multiply': (torch.multiply, (-4, 4), (-4, 4), True),
    'subtract': (torch.subtract, (-4, 4), (-4, 4), True),
    'arctan2': (torch.atan2, (-4, 4), (-4, 4), True),
}
COMPARE = {'greater': torch.greater, 'greaterEqual': torch.greater_equal, 'less': torch.less, 'lessEqual': torch.less_equal,
           'notEqual': torch.not_equal, 'heaviside': torch.heaviside}


def nextafter(a, b):
    """In float32, whose neighbours are meant."""
    return torch.nextafter(a.float(), b.float())


def cases():
    suite = Suite()
    for name, (fn, left, right, grads) in BINARY.items():
        fn = fn or nextafter
        for a, b in BROADCASTS:
            inputs = [floats(name + 'a', a, left), floats(name + 'b', b, right)]
            suite.add(name, f'{list(a)} {list(b)}', ['$0', '$1'], inputs, fn, grads=grads)
        views = {0: [['transpose', 0, 1]], 1: [['slice', 1, 0, 6, 2], ['flip', [0]]]}
        inputs = [floats(name + 'va', (3, 5), left), floats(name + 'vb', (5, 6), right)]
        suite.add(name, 'of views', ['$0', '$1'], inputs, fn, views=views, grads=grads)
        other = lambda x, v: torch.full_like(x, v)
        suite.add(name, 'with the number 1.5', ['$0', 1.5], [floats(name, (13,), left)], lambda x: fn(x, other(x, 1.5)), grads=grads)
        suite.add(name, 'of the number 2.5', [2.5, '$0'], [floats(name, (13,), right)], lambda x: fn(other(x, 2.5), x), grads=grads)
        suite.add(name, 'of a tensor and itself', ['$0', '$0'], [floats(name, (11,), right)], lambda x: fn(x, x), grads=grads)
        if name in ('copysign', 'logaddexp', 'hypot', 'xlogy', 'xlog1py', 'fmax', 'fmin', 'nextafter', 'ldexp'):
            paired = PAIRED[~np.isnan(PAIRED)] if name == 'copysign' else PAIRED
            paired = paired[paired != 0] if name in ('fmax', 'fmin') else paired
            if name == 'ldexp':
                paired = paired[(np.abs(paired) < 100) & (np.abs(paired) > 1e-3)]
            suite.add(name, 'special', ['$0', '$1'], [paired[:, None], paired[None, :]], fn, grads=False, close=False)
    for name, fn in COMPARE.items():
        a, b = np.round(floats(name + 'a', (5, 7), (-2, 2))), np.round(floats(name + 'b', (7,), (-2, 2)))
        suite.add(name, '[5, 7] [7]', ['$0', '$1'], [a, b], fn, grads=False)
        suite.add(name, 'with the number 1', ['$0', 1], [a], lambda x: fn(x, torch.ones_like(x)), grads=False)
        suite.add(name, 'special', ['$0', '$1'], [PAIRED[:, None], PAIRED[None, :]], fn, grads=False)
    for mode in ('floor', 'trunc'):
        suite.add('div', f'{mode} f32', ['$0', '$1', {'roundingMode': mode}], [floats('div', (5, 7), (-9, 9)), floats('divisor', (7,), (0.7, 4))],
                  lambda a, b: torch.div(a, b, rounding_mode=mode), grads=False)
        whole = np.array([-9, -7, -1, 0, 1, 5, 2**31 - 1, -2**31], np.int32)
        by = np.array([[-3], [-2], [1], [2], [7]], np.int32)
        suite.add('div', f'{mode} i32', ['$0', '$1', {'roundingMode': mode}], [whole, by], lambda a, b: torch.div(a, b, rounding_mode=mode), grads=False)
    ends = np.array([-2**31, -2**31 + 1, -1071, -462, -12, -1, 0, 1, 6, 462, 1071, 2**31 - 1], np.int32)
    small = ends[np.abs(ends.astype(np.int64)) < 2000]
    suite.add('gcd', 'i32', ['$0', '$1'], [ends[1:, None], ends[None, 1:]], torch.gcd, grads=False)
    suite.add('lcm', 'i32', ['$0', '$1'], [small[:, None], small[None, :]], torch.lcm, grads=False)
    words = np.array([0, 1, 12, 18, 2**31, 3 * 2**30, 2**32 - 1], np.uint32)
    suite.known('gcd', 'u32', ['$0', '$1'], [words[:, None], words[None, :]], [np.gcd(words[:, None], words[None, :])])

    for weight in (0.3, 0.8, 1.5, -0.5):
        suite.add('lerp', f'by {weight}', ['$0', '$1', weight], [floats('from', (3, 7), (-4, 4)), floats('to', (7,), (-4, 4))],
                  lambda a, b: torch.lerp(a, b.expand(3, 7), weight))
    suite.add('lerp', 'by a tensor', ['$0', '$1', '$2'], [floats('from', (3, 7), (-4, 4)), floats('to', (3, 7), (-4, 4)), floats('by', (3, 7), (-1, 2))], torch.lerp)
    suite.add('lerp', 'broadcasts', ['$0', '$1', '$2'], [floats('from', (3, 1), (-4, 4)), floats('to', (7,), (-4, 4)), floats('by', (2, 1, 1), (-1, 2))],
              lambda a, b, w: torch.lerp(*torch.broadcast_tensors(a, b, w)))
    for value in (1, 0.5, -2):
        inputs = [floats('base', (3, 7), (-4, 4)), floats('p', (7,), (-4, 4)), floats('q', (3, 1), (0.5, 4))]
        suite.add('addcmul', f'value={value}', ['$0', '$1', '$2', {'value': value}], inputs, lambda x, a, b: torch.addcmul(x, a, b, value=value))
        suite.add('addcdiv', f'value={value}', ['$0', '$1', '$2', {'value': value}], inputs, lambda x, a, b: torch.addcdiv(x, a, b, value=value))
    suite.add('addcmul', 'of numbers', ['$0', 2, '$1'], [floats('base', (5,), (-4, 4)), floats('q', (5,), (0.5, 4))], lambda x, b: x + 2 * b)
    suite.add('addcmul', 'i32', ['$0', '$1', '$2'], [np.arange(6, dtype=np.int32), np.full(6, 3, np.int32), np.arange(6, dtype=np.int32)], torch.addcmul, grads=False)
    mantissas = np.array([0.0, -0.0, 1.0, 0.5, -0.75, 1.9999999, 2.0, 0.99999994, 3.1415927, 1e-30, -1e30, 1.1754944e-38, 3.4028235e38, 16777216,
                          math.inf, -math.inf, math.nan], np.float32)
    suite.known('frexp', 'special', ['$0'], [mantissas], [np.frexp(mantissas)[0], np.where(np.isfinite(mantissas), np.frexp(mantissas)[1], 0).astype(np.int32)])
    close = [np.array([1, 1.00001, 1.1, math.inf, math.inf, math.nan, math.nan, 0, 1e-9], np.float32),
             np.array([1, 1, 1, math.inf, -math.inf, math.nan, 1, 1e-9, 0], np.float32)]
    suite.add('isclose', 'by default', ['$0', '$1'], close, torch.isclose, grads=False)
    suite.add('isclose', 'wide', ['$0', '$1', {'rtol': 0.2, 'atol': 0.1, 'equalNan': True}], close,
              lambda a, b: torch.isclose(a, b, rtol=0.2, atol=0.1, equal_nan=True), grads=False)
    return suite.cases
