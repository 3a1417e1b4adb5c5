"""Functions of one, two and three operands, on ordinary values."""
import numpy as np
import torch
import torch.nn.functional as F

from .suite import Suite, decimals, rng_of

# name: (function of PyTorch, range of the inputs)
UNARY = {
    'neg': (torch.neg, (-4, 4)),
    'abs': (torch.abs, (-4, 4)),
    'sign': (torch.sign, (-4, 4)),
    'floor': (torch.floor, (-4, 4)),
    'ceil': (torch.ceil, (-4, 4)),
    'round': (torch.round, (-4, 4)),
    'trunc': (torch.trunc, (-4, 4)),
    'reciprocal': (torch.reciprocal, (0.3, 4)),
    'sqrt': (torch.sqrt, (0.01, 9)),
    'rsqrt': (torch.rsqrt, (0.1, 9)),
    'exp': (torch.exp, (-5, 5)),
    'expm1': (torch.expm1, (-3, 3)),
    'log': (torch.log, (0.01, 9)),
    'log1p': (torch.log1p, (-0.9, 9)),
    'sin': (torch.sin, (-7, 7)),
    'cos': (torch.cos, (-7, 7)),
    'tan': (torch.tan, (-1.4, 1.4)),
    'asin': (torch.asin, (-0.95, 0.95)),
    'acos': (torch.acos, (-0.95, 0.95)),
    'atan': (torch.atan, (-5, 5)),
    'sinh': (torch.sinh, (-4, 4)),
    'cosh': (torch.cosh, (-4, 4)),
    'tanh': (torch.tanh, (-3, 3)),
    'sigmoid': (torch.sigmoid, (-6, 6)),
    'erf': (torch.erf, (-3, 3)),
    'square': (torch.square, (-4, 4)),
    'log2': (torch.log2, (0.01, 9)),
    'log10': (torch.log10, (0.01, 9)),
    'relu': (F.relu, (-4, 4)),
    'relu6': (F.relu6, (-4, 9)),
    'leakyRelu': (F.leaky_relu, (-4, 4)),
    'elu': (F.elu, (-4, 4)),
    'gelu': (F.gelu, (-4, 4)),
    'silu': (F.silu, (-6, 6)),
    'mish': (F.mish, (-6, 6)),
    'softplus': (F.softplus, (-9, 30)),
    'logSigmoid': (F.logsigmoid, (-9, 9)),
    'softsign': (F.softsign, (-4, 4)),
}

VARIANTS = [
    ('leakyRelu', ['$0', 0.2], lambda x: F.leaky_relu(x, 0.2)),
    ('elu', ['$0', 0.5], lambda x: F.elu(x, 0.5)),
    ('gelu', ['$0', {'approximate': 'tanh'}], lambda x: F.gelu(x, approximate='tanh')),
    ('softplus', ['$0', {'beta': 2, 'threshold': 5}], lambda x: F.softplus(x, 2, 5)),
    ('clamp', ['$0', -1, 2], lambda x: x.clamp(-1, 2)),
    ('clamp', ['$0', None, 0.5], lambda x: x.clamp(max=0.5)),
    ('clamp', ['$0', -0.5], lambda x: x.clamp(min=-0.5)),
    ('clamp', ['$0', 2, -1], lambda x: x.clamp(2, -1)),
    ('pow', ['$0', 2], lambda x: x.pow(2)),
    ('pow', ['$0', 3], lambda x: x.pow(3)),
    ('pow', ['$0', -1], lambda x: x.pow(-1)),
    ('pow', ['$0', 0], lambda x: x.pow(0)),
    ('pow', ['$0', 1], lambda x: x.pow(1)),
]

# name: (function, range of the first, range of the second operand, has gradients, whether a number may stand on either side)
BINARY = {
    'add': (torch.add, (-4, 4), (-4, 4)),
    'sub': (torch.sub, (-4, 4), (-4, 4)),
    'mul': (torch.mul, (-4, 4), (-4, 4)),
    'div': (torch.div, (-4, 4), (0.5, 4)),
    'floorDivide': (torch.floor_divide, (-9, 9), (0.7, 4)),
    'remainder': (torch.remainder, (-9, 9), (0.7, 4)),
    'fmod': (torch.fmod, (-9, 9), (0.7, 4)),
    'pow': (torch.pow, (0.2, 3), (-2.5, 2.5)),
    'maximum': (torch.maximum, (-4, 4), (-4, 4)),
    'minimum': (torch.minimum, (-4, 4), (-4, 4)),
    'atan2': (torch.atan2, (-4, 4), (-4, 4)),
}
COMPARE = {'eq': torch.eq, 'ne': torch.ne, 'lt': torch.lt, 'le': torch.le, 'gt': torch.gt, 'ge': torch.ge}
LOGIC = {'logicalAnd': torch.logical_and, 'logicalOr': torch.logical_or, 'logicalXor': torch.logical_xor}

BROADCASTS = [((3, 7), (3, 7)), ((3, 7), (7,)), ((3, 1), (1, 7)), ((2, 1, 3), (4, 1)), ((), (3,)), ((0, 3), (1, 3)), ((65,), (1,))]


def floats(name, shape, bounds):
    return decimals(rng_of(name, shape, 'values'), shape, *bounds)


def cases():
    suite = Suite()
    for name, (fn, bounds) in UNARY.items():
        grads = name not in ('sign', 'floor', 'ceil', 'round', 'trunc')
        for shape in ((65,), (), (0, 3)):
            suite.add(name, str(list(shape)), ['$0'], [floats(name, shape, bounds)], fn, grads=grads)
        views = {0: [['transpose', 0, 1], ['slice', 0, 1, 6, 2], ['flip', [1]]]}
        suite.add(name, 'of a view', ['$0'], [floats(name, (3, 7), bounds)], fn, views=views, grads=grads)
    for name, args, fn in VARIANTS:
        suite.add(name, f'with {args[1:]}', args, [floats(name, (5, 7), (-4, 9))], fn)
    # The larger of -0 and 0 is 0; PyTorch's relu gives either.
    suite.add('relu', 'at zeros', ['$0'], [np.array([-0.0, 0.0, 1, -1], np.float32)], lambda x: F.relu(x) + 0.0)
    suite.add('abs', 'at zeros', ['$0'], [np.array([-0.0, 0.0, 1, -1], np.float32)], torch.abs)
    suite.add('clamp', 'at the bounds', ['$0', -1, 1], [np.array([-1, 1, 0, -2, 2], np.float32)], lambda x: x.clamp(-1, 1))
    suite.add('clamp', 'by tensors', ['$0', '$1', '$2'],
              [floats('x', (3, 5), (-3, 3)), floats('low', (5,), (-2, 0)), floats('high', (3, 1), (0.1, 2))],
              lambda x, low, high: torch.where(torch.where(x < low, low, x) > high, high, torch.where(x < low, low, x)))

    for name, (fn, left, right) in BINARY.items():
        grads = name != 'floorDivide'
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
    ties = [np.array([1, 2, 3], np.float32), np.array([1, 3, 2], np.float32)]
    suite.add('maximum', 'with ties', ['$0', '$1'], ties, torch.maximum)
    suite.add('minimum', 'with ties', ['$0', '$1'], ties, torch.minimum)
    suite.add('pow', 'whole exponents of any base', ['$0', '$1'],
              [np.array([[-2], [-1], [0.5], [3]], np.float32), np.array([[-3, -2, 2, 3, 5]], np.float32)],
              torch.pow, grads=False)

    for name, fn in COMPARE.items():
        a, b = np.round(floats(name + 'a', (5, 7), (-2, 2))), np.round(floats(name + 'b', (7,), (-2, 2)))
        suite.add(name, '[5, 7] [7]', ['$0', '$1'], [a, b], fn, grads=False)
        suite.add(name, 'with the number 1', ['$0', 1], [a], lambda x: fn(x, 1), grads=False)
        suite.add(name, 'of the number 1', [1, '$0'], [a], lambda x: fn(torch.ones_like(x), x), grads=False)
    truth = [np.array([[True, True, False, False]]), np.array([[True], [False]])]
    for name, fn in LOGIC.items():
        suite.add(name, 'bool', ['$0', '$1'], truth, fn, grads=False)
        suite.add(name, 'f32', ['$0', '$1'], [np.array([0, -0.0, 1, -2], np.float32), np.array([0, 3, 0, 3], np.float32)], fn, grads=False)
    suite.add('logicalNot', 'bool', ['$0'], truth[:1], torch.logical_not, grads=False)
    suite.add('logicalNot', 'f32', ['$0'], [np.array([0, -0.0, 1, -2, np.nan], np.float32)], torch.logical_not, grads=False)
    for name, fn in {'bitwiseAnd': torch.bitwise_and, 'bitwiseOr': torch.bitwise_or, 'bitwiseXor': torch.bitwise_xor,
                     'eq': torch.eq, 'ne': torch.ne, 'lt': torch.lt, 'le': torch.le,
                     'maximum': torch.maximum, 'minimum': torch.minimum}.items():
        suite.add(name, 'bool', ['$0', '$1'], truth, fn, grads=False)

    condition = rng_of('where').uniform(size=(3, 7)) < 0.5
    suite.add('where', '[3, 7]', ['$0', '$1', '$2'],
              [condition, floats('wa', (3, 7), (-4, 4)), floats('wb', (3, 7), (-4, 4))], torch.where)
    suite.add('where', 'broadcasts', ['$0', '$1', '$2'],
              [condition[:, :1], floats('wa', (7,), (-4, 4)), floats('wb', (1, 1), (-4, 4))], torch.where)
    suite.add('where', 'with a number', ['$0', '$1', -1], [condition, floats('wa', (3, 7), (-4, 4))],
              lambda c, a: torch.where(c, a, torch.full_like(a, -1)))
    return suite.cases
