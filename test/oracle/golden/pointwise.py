"""Composed and special functions of one operand, and the activations that `elementwise` does not have."""
import math

import numpy as np
import torch
import torch.nn.functional as F

from .elementwise import floats
from .special import VALUES
from .suite import Suite

SHAPES = [(65,), (), (1,), (0, 3), (3, 7), (2, 1, 5)]
LARGEST = 3.4028234663852886e38


def no_eps(x):
    return torch.where((x < 0) | (x > 1), torch.full_like(x, math.nan), torch.logit(x))


def ndtri(x):
    return torch.special.erfinv(2 * x - 1) * math.sqrt(2)


# name: (function of PyTorch, range of the inputs, whether it has a gradient, whether special values are compared)
UNARY = {
    'exp2': (torch.exp2, (-5, 5), True, True),
    'asinh': (torch.asinh, (-5, 5), True, True),
    'acosh': (torch.acosh, (1.1, 9), True, True),
    'atanh': (torch.atanh, (-0.95, 0.95), True, True),
    'erfc': (torch.erfc, (-3, 3), True, True),
    'erfinv': (torch.erfinv, (-0.95, 0.95), True, True),
    'lgamma': (torch.lgamma, (0.3, 9), True, True),
    'digamma': (torch.digamma, (0.5, 9), True, True),
    'frac': (torch.frac, (-4, 4), True, False),
    'positive': (torch.positive, (-4, 4), True, True),
    'signbit': (torch.signbit, (-4, 4), False, False),
    'sinc': (torch.sinc, (-3, 3), True, False),
    'deg2rad': (torch.deg2rad, (-360, 360), True, True),
    'rad2deg': (torch.rad2deg, (-4, 4), True, False),
    'entr': (torch.special.entr, (0.1, 4), True, False),
    'logit': (no_eps, (0.05, 0.95), True, True),
    'expit': (torch.special.expit, (-6, 6), True, True),
    'ndtr': (torch.special.ndtr, (-3, 3), True, True),
    'ndtri': (ndtri, (0.05, 0.95), True, False),
    'logNdtr': (torch.special.log_ndtr, (-14, 4), True, True),
    'angle': (torch.angle, (-4, 4), False, True),
    'nanToNum': (lambda x: torch.nan_to_num(x, 0.0, LARGEST, -LARGEST), (-4, 4), True, True),
    'isposinf': (torch.isposinf, (-4, 4), False, True),
    'isneginf': (torch.isneginf, (-4, 4), False, True),
    'absolute': (torch.absolute, (-4, 4), True, True),
    'negative': (torch.negative, (-4, 4), True, True),
    'sgn': (torch.sgn, (-4, 4), False, False),
    'fix': (torch.fix, (-4, 4), False, True),
    'arcsin': (torch.arcsin, (-0.95, 0.95), True, True),
    'arccos': (torch.arccos, (-0.95, 0.95), True, True),
    'arctan': (torch.arctan, (-4, 4), True, True),
    'arcsinh': (torch.arcsinh, (-4, 4), True, False),
    'arccosh': (torch.arccosh, (1.1, 9), True, False),
    'arctanh': (torch.arctanh, (-0.95, 0.95), True, False),
    'celu': (F.celu, (-4, 4), True, False),
    'selu': (F.selu, (-4, 4), True, False),
    'hardtanh': (F.hardtanh, (-3, 3), True, True),
    'hardsigmoid': (F.hardsigmoid, (-5, 5), True, False),
    'hardswish': (F.hardswish, (-5, 5), True, False),
    'tanhshrink': (F.tanhshrink, (-4, 4), True, False),
    'softshrink': (F.softshrink, (-2, 2), True, False),
    'hardshrink': (F.hardshrink, (-2, 2), True, True),
}

VARIANTS = [
    ('celu', ['$0', 0.5], lambda x: F.celu(x, 0.5), True),
    ('hardtanh', ['$0', -0.5, 2], lambda x: F.hardtanh(x, -0.5, 2), True),
    ('softshrink', ['$0', 1.5], lambda x: F.softshrink(x, 1.5), True),
    ('softshrink', ['$0', 0], lambda x: F.softshrink(x, 0), True),
    ('hardshrink', ['$0', 1.5], lambda x: F.hardshrink(x, 1.5), True),
    ('threshold', ['$0', 0.5, -2], lambda x: F.threshold(x, 0.5, -2), True),
    ('nanToNum', ['$0', 1, 2, 3], lambda x: torch.nan_to_num(x, 1, 2, 3), True),
    ('clip', ['$0', -1, 2], lambda x: x.clip(-1, 2), True),
    ('clampMin', ['$0', 0.5], lambda x: x.clamp_min(0.5), True),
    ('clampMax', ['$0', 0.5], lambda x: x.clamp_max(0.5), True),
    ('logit', ['$0', 0.1], lambda x: torch.logit(x, 0.1), True),
    ('polygamma', [0, '$0'], lambda x: torch.polygamma(0, x), True),
    ('polygamma', [1, '$0'], lambda x: torch.polygamma(1, x), True),
    ('mvlgamma', ['$0', 3], lambda x: torch.where(x <= 1, torch.full_like(x, math.nan), torch.mvlgamma(x.clamp(min=1.0001), 3)), False),
    ('mvlgamma', ['$0', 1], lambda x: torch.where(x <= 0, torch.full_like(x, math.nan), torch.mvlgamma(x.clamp(min=0.0001), 1)), False),
    ('glu', ['$0', 0], lambda x: F.glu(x, 0), True),
    ('softmin', ['$0', 0], lambda x: F.softmin(x, 0), True),
    ('add', ['$0', '$0', {'alpha': 2}], lambda x: torch.add(x, x, alpha=2), True),
    ('sub', ['$0', '$0', {'alpha': 2}], lambda x: torch.sub(x, x, alpha=2), True),
    ('add', ['$0', 2, {'alpha': 0.5}], lambda x: torch.add(x, 2, alpha=0.5), True),
]


def cases():
    suite = Suite()
    for name, (fn, bounds, grads, special) in UNARY.items():
        for shape in SHAPES:
            suite.add(name, str(list(shape)), ['$0'], [floats(name, shape, bounds)], fn, grads=grads)
        views = {0: [['transpose', 0, 1], ['slice', 0, 1, 6, 2], ['flip', [1]]]}
        suite.add(name, 'of a view', ['$0'], [floats(name, (3, 7), bounds)], fn, views=views, grads=grads)
        if special:
            suite.add(name, 'special', ['$0'], [VALUES], fn, grads=False, close=False)
        if name not in ('positive', 'frac', 'hardtanh', 'absolute', 'negative', 'sgn', 'fix', 'nanToNum', 'isposinf', 'isneginf', 'signbit'):
            whole = np.array([-3, -1, 0, 1, 2, 5], np.int32)
            suite.add(name, 'of i32', ['$0'], [whole], lambda x: fn(x.double()), grads=False, close=False)
    suite.known('signbit', 'special', ['$0'], [VALUES], [np.signbit(VALUES) & ~np.isnan(VALUES)])
    for name, values in (('sinc', [0.0, -0.0, 1e-20, 1e-3, 0.1, 0.159, 0.16, -0.3, 1, 100.5, math.nan]), ('entr', [-1.0, 0.0, 1e-30, 1.0, math.inf, math.nan])):
        suite.add(name, 'special', ['$0'], [np.array(values, np.float32)], UNARY[name][0], grads=False, close=False)
    suite.add('sinc', 'near 0', ['$0'], [np.array([0.0, 1e-3, -2e-3, 0.05, 0.15, 0.158, 0.16, 0.2], np.float32)], torch.sinc)
    suite.add('asinh', 'at 0 and large', ['$0'], [np.array([0.0, 1e-4, -1e-3, 9999, 10001, -3e5, 1e30], np.float32)], torch.asinh)
    suite.add('acosh', 'large', ['$0'], [np.array([1.0001, 9999, 10001, 3e5, 1e30], np.float32)], torch.acosh)
    suite.add('atanh', 'near the ends', ['$0'], [np.array([0.0, 1e-4, -1e-3, 0.999, -0.999], np.float32)], torch.atanh)
    for name, fn in (('lgamma', torch.lgamma), ('digamma', torch.digamma), ('polygamma', lambda x: torch.polygamma(1, x))):
        values = np.array([-9.4, -3.3, -2.7, -1.4, -0.25, 0.01, 0.5, 2.5, 7.9, 8.1, 12.5, 50, 900], np.float32)
        suite.add(name, 'below zero and far', ['$0'] if name != 'polygamma' else [1, '$0'], [values], fn)
    suite.add('erfc', 'small', ['$0'], [np.array([0.49, 0.51, 1, 2, 3, 5, 7, 9, -2, -7], np.float32)], torch.erfc)
    suite.add('erfinv', 'near the ends', ['$0'], [np.array([0.0, 1e-5, 0.99, 0.9966, 0.9967, 0.9999, -0.999], np.float32)], torch.erfinv)
    suite.add('erfinv', 'everywhere', ['$0'], [np.concatenate([np.linspace(-1, 1, 201), 1 - np.geomspace(1e-7, 0.1, 99)]).astype(np.float32).round(7)],
              torch.erfinv, grads=False)
    for name, fn, at in (('hardtanh', F.hardtanh, [-1, 1, -2, 2, 0]), ('relu6', F.relu6, [0, 6, 3, 7, -1]), ('hardsigmoid', F.hardsigmoid, [-3, 3, 0, 4]),
                         ('hardswish', F.hardswish, [-3, 3, 0, 4, -4]), ('softshrink', F.softshrink, [-0.5, 0.5, 0, 1]),
                         ('hardshrink', F.hardshrink, [-0.5, 0.5, 0, 1]), ('celu', F.celu, [0, -1, 1]), ('selu', F.selu, [0, -1, 1])):
        suite.add(name, 'at the bounds', ['$0'], [np.array(at, np.float32)], fn)
    for name in ('celu', 'selu', 'elu', 'hardswish', 'hardsigmoid', 'mish', 'leakyRelu'):
        fn = {'celu': F.celu, 'selu': F.selu, 'elu': F.elu, 'hardswish': F.hardswish, 'hardsigmoid': F.hardsigmoid, 'mish': F.mish, 'leakyRelu': F.leaky_relu}[name]
        suite.add(name, 'of large numbers', ['$0'], [np.array([-1e30, -1e4, -100, -40, 40, 100, 1e4, 1e30], np.float32)], fn, close=False)
    for name, args, fn, grads in VARIANTS:
        for shape in ((6, 7), (4,), (2, 3, 5)):
            low, high = (0.05, 6) if name in ('polygamma', 'mvlgamma') else (-0.2, 1.2) if name == 'logit' else (-4, 9)
            suite.add(name, f'{list(shape)} with {args[1:] if args[0] == "$0" else args[:1]}', args, [floats(name, shape, (low, high))], fn,
                      grads=grads)
    for decimals in (1, 2, -1):
        # Not half way between multiples, where the last bit of the product decides.
        numbers = np.array([0, -0.0, 0.06, -1.14, 1.17, 2.499, 23.6, -123.456, 1e-5, 5e4], np.float32)
        suite.add('round', f'decimals={decimals}', ['$0', {'decimals': decimals}], [numbers], lambda x: x.round(decimals=decimals), grads=False)
    for shape, count in (((3, 7), 1), ((3, 7), 7), ((2, 3, 4), 3), ((5,), 1), ((), 1), ((0, 2), 2)):
        suite.add('prelu', f'{list(shape)} with {count}', ['$0', '$1'], [floats('prelu', shape, (-4, 4)), floats('slope', (count,), (0.1, 0.5))], F.prelu)
    for shape, dim in (((4, 6), -1), ((4, 3), 0), ((2, 6, 3), 1), ((0, 4), 1)):
        suite.add('glu', f'{list(shape)} dim={dim}', ['$0', dim], [floats('glu', shape, (-4, 4))], lambda x: F.glu(x, dim))
        suite.add('softmin', f'{list(shape)} dim={dim}', ['$0', dim], [floats('softmin', shape, (-4, 4))], lambda x: F.softmin(x, dim))

    return suite.cases
