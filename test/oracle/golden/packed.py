"""f16, i8 and u8. PyTorch 1.13 has few f16 functions on CPUs: they are computed in float64 from f16 inputs, and the results rounded to f16."""
import numpy as np
import torch
import torch.nn.functional as F

from .suite import Suite, decimals, rng_of

SHAPES = [(), (0,), (1,), (3,), (7,), (65,), (3, 7), (2, 1, 5)]


def halves(rng, shape, low=-4, high=4):
    return decimals(rng, shape, low, high).astype(np.float16)


def integers(rng, shape, dtype):
    info = np.iinfo(dtype)
    return np.asarray(rng.integers(info.min, info.max + 1, shape), dtype=dtype)


FLOAT_UNARY = {
    'exp': torch.exp, 'log1p': lambda x: torch.log1p(x), 'sin': torch.sin, 'tanh': torch.tanh, 'sigmoid': torch.sigmoid, 'erf': torch.erf,
    'sqrt': torch.sqrt, 'square': torch.square, 'abs': torch.abs, 'neg': torch.neg, 'floor': torch.floor, 'relu': F.relu, 'gelu': F.gelu,
    'silu': F.silu, 'softplus': F.softplus, 'sign': torch.sign, 'isnan': torch.isnan,
}
FLOAT_BINARY = {
    'add': torch.add, 'sub': torch.sub, 'mul': torch.mul, 'div': torch.div, 'maximum': torch.maximum, 'minimum': torch.minimum,
    'lt': torch.lt, 'eq': torch.eq,
}
INTEGER_UNARY = {'neg': torch.neg, 'abs': torch.abs, 'sign': torch.sign, 'bitwiseNot': torch.bitwise_not, 'square': torch.square}
INTEGER_BINARY = {
    'add': torch.add, 'sub': torch.sub, 'mul': torch.mul, 'maximum': torch.maximum, 'minimum': torch.minimum, 'bitwiseAnd': torch.bitwise_and,
    'bitwiseOr': torch.bitwise_or, 'bitwiseXor': torch.bitwise_xor, 'lt': torch.lt, 'eq': torch.eq,
}


def cases():
    s = Suite()
    for op, fn in FLOAT_UNARY.items():
        for shape in SHAPES:
            rng = rng_of('packed', op, shape)
            low = 0.1 if op in ('log1p', 'sqrt') else -4
            s.add(op, f'f16 {list(shape)}', ['$0'], [halves(rng, shape, low)], fn, grads=op != 'isnan')
        rng = rng_of('packed', op, 'view')
        low = 0.1 if op in ('log1p', 'sqrt') else -4
        steps = {0: [['transpose', 0, 1], ['slice', 0, 1, 7, 2]]}
        s.add(op, 'f16 of a view', ['$0'], [halves(rng, (5, 7), low)], fn, views=steps, grads=op != 'isnan')
    for op, fn in FLOAT_BINARY.items():
        for a, b in [((7,), (7,)), ((65,), (1,)), ((3, 1), (1, 5)), ((), (3,)), ((0, 3), (3,))]:
            rng = rng_of('packed', op, a, b)
            xs = [halves(rng, a), halves(rng, b, 0.5)]
            s.add(op, f'f16 {list(a)} {list(b)}', ['$0', '$1'], xs, fn, grads=op not in ('lt', 'eq'))
    for op in ('add', 'mul', 'sub'):
        rng = rng_of('packed', op, 'mixed')
        xs = [halves(rng, (3, 7)), decimals(rng, (7,), -4, 4)]
        s.add(op, 'f16 and f32', ['$0', '$1'], xs, FLOAT_BINARY[op])
        for dtype in (np.int8, np.uint8):
            xs = [halves(rng, (3, 7)), integers(rng, (7,), dtype)]
            s.add(op, f'f16 and {dtype.__name__}', ['$0', '$1'], xs, FLOAT_BINARY[op])
    for shape in [(1,), (7,), (3, 7), (65,), (2, 3, 5)]:
        rng = rng_of('packed', 'reduce', shape)
        x = halves(rng, shape, 0.5)
        for op, fn in {'sum': torch.sum, 'mean': torch.mean, 'amax': torch.amax, 'amin': torch.amin, 'prod': torch.prod}.items():
            if op != 'prod':
                s.add(op, f'f16 {list(shape)} all', ['$0'], [x], lambda x, fn=fn: fn(x) if fn not in (torch.amax, torch.amin) else fn(x, tuple(range(x.dim()))))
                s.add(op, f'f16 {list(shape)} last', ['$0', -1], [x], lambda x, fn=fn: fn(x, -1))
            elif x.size < 10:
                s.add(op, f'f16 {list(shape)} last', ['$0', -1], [x], lambda x: torch.prod(x, -1))
        s.add('softmax', f'f16 {list(shape)}', ['$0', -1], [x], lambda x: F.softmax(x, -1))
        s.add('logSoftmax', f'f16 {list(shape)}', ['$0', -1], [x], lambda x: F.log_softmax(x, -1))
        s.add('cumsum', f'f16 {list(shape)}', ['$0', -1], [x], lambda x: torch.cumsum(x, -1))
        s.add('argmax', f'f16 {list(shape)}', ['$0', -1], [x], lambda x: torch.argmax(x, -1), grads=False)
        s.add('sort', f'f16 {list(shape)}', ['$0', -1], [x], lambda x: list(torch.sort(x, dim=-1, stable=True)))
        s.add('flip', f'f16 {list(shape)}', ['$0', [0]], [x], lambda x: torch.flip(x, [0]))
        s.add('concat', f'f16 {list(shape)}', [['$0', '$1'], 0], [x, x], lambda x, y: torch.cat([x, y], 0))
    for m, k, n in [(1, 1, 1), (3, 5, 7), (7, 65, 3), (1, 7, 5), (5, 7, 1)]:
        rng = rng_of('packed', 'matmul', m, k, n)
        a, b = halves(rng, (m, k), 0.1, 2), halves(rng, (k, n), 0.1, 2)
        s.add('matmul', f'f16 {m} {k} {n}', ['$0', '$1'], [a, b], torch.matmul)
        s.add('matmul', f'f16 and f32 {m} {k} {n}', ['$0', '$1'], [b.T.copy(), decimals(rng, (k, 3), 0.1, 2)], torch.matmul)
        for dtype in (np.int8, np.uint8):
            xs = [integers(rng, (m, k), dtype), integers(rng, (k, n), dtype)]
            s.add('matmul', f'{dtype.__name__} {m} {k} {n}', ['$0', '$1'], xs, torch.matmul, grads=False)
    rng = rng_of('packed', 'indexing')
    table, at = halves(rng, (5, 3)), np.array([[4, 0, 1], [2, 2, 3]], np.int32)
    s.add('embedding', 'f16', ['$1', '$0'], [table, at], lambda w, i: F.embedding(i.long(), w))
    s.add('gather', 'f16', ['$0', 0, '$1'], [table, at], lambda x, i: torch.gather(x, 0, i.long()))
    s.add('scatterAdd', 'f16', ['$0', 0, '$1', '$2'], [table, at, halves(rng, (2, 3))], lambda x, i, y: torch.scatter_add(x, 0, i.long(), y))
    s.add('pad', 'f16', ['$0', [1, 2, 0, 1]], [table], lambda x: F.pad(x, [1, 2, 0, 1]))
    s.add('where', 'f16', ['$0', '$1', '$2'], [table > 0, table, halves(rng, (3,))], torch.where)
    s.add('layerNorm', 'f16', ['$0', [65]], [halves(rng, (3, 65))], lambda x: F.layer_norm(x, [65]))
    s.add('conv2d', 'f16', ['$0', '$1', None, {'padding': 1}], [halves(rng, (1, 2, 5, 5), 0.1), halves(rng, (3, 2, 3, 3), 0.1)],
          lambda x, w: F.conv2d(x, w, padding=1))
    s.add('maxPool2d', 'f16', ['$0', 2], [halves(rng, (1, 2, 5, 7))], lambda x: F.max_pool2d(x, 2))
    s.add('avgPool2d', 'f16', ['$0', 2], [halves(rng, (1, 2, 5, 7), 0.1)], lambda x: F.avg_pool2d(x, 2))

    for dtype in (np.int8, np.uint8):
        name = dtype.__name__
        for op, fn in INTEGER_UNARY.items():
            for shape in SHAPES:
                rng = rng_of('packed', op, name, shape)
                s.add(op, f'{name} {list(shape)}', ['$0'], [integers(rng, shape, dtype)], fn, grads=False)
        for op, fn in INTEGER_BINARY.items():
            for a, b in [((7,), (7,)), ((65,), (1,)), ((3, 1), (1, 5)), ((0, 3), (3,))]:
                rng = rng_of('packed', op, name, a, b)
                xs = [integers(rng, a, dtype), integers(rng, b, dtype)]
                s.add(op, f'{name} {list(a)} {list(b)}', ['$0', '$1'], xs, fn, grads=False)
        for shape in [(1,), (7,), (3, 7), (65,)]:
            rng = rng_of('packed', 'reduce', name, shape)
            x = integers(rng, shape, dtype)
            s.add('sum', f'{name} {list(shape)}', ['$0', -1], [x], lambda x: torch.sum(x, -1), grads=False)
            s.add('cumsum', f'{name} {list(shape)}', ['$0', -1], [x], lambda x: torch.cumsum(x, -1), grads=False)
            s.add('amax', f'{name} {list(shape)}', ['$0', -1], [x], lambda x: torch.amax(x, -1), grads=False)
            s.add('sort', f'{name} {list(shape)}', ['$0', -1], [x], lambda x: list(torch.sort(x, dim=-1, stable=True)), grads=False)
            s.add('div', f'{name} {list(shape)}', ['$0', 3], [x], lambda x: torch.div(x.double(), 3), grads=False)
            other = np.uint8 if dtype == np.int8 else np.int8
            # PyTorch's i16 is i32 here.
            s.add('add', f'{name} and {other.__name__} {list(shape)}', ['$0', '$1'], [x, integers(rng, shape, other)],
                  lambda x, y: torch.add(x, y).int(), grads=False)
            s.add('add', f'{name} and int32 {list(shape)}', ['$0', '$1'], [x, integers(rng, shape, np.int32)],
                  lambda x, y: torch.add(x, y), grads=False)
        for to, of in {'f32': torch.float64, 'i32': torch.int32, 'bool': torch.bool}.items():
            s.add('cast', f'{name} to {to}', ['$0', to], [integers(rng_of('cast', name), (65,), dtype)], lambda x, of=of: x.to(of), grads=False)
    x = np.arange(-300, 301, 7, dtype=np.int32)
    for function, dtype in {'char': np.int8, 'byte': np.uint8}.items():
        s.known(function, 'i32', ['$0'], [x], [x.astype(dtype)])
    h = halves(rng_of('conversions'), (65,), -100, 100)
    s.known('int', 'f16', ['$0'], [h], [h.astype(np.int32)])
    s.known('bool', 'f16', ['$0'], [np.array([0, -0.0, 1, np.nan, np.inf, 6e-8], np.float16)], [np.array([False, False, True, True, True, True])])
    s.known('float', 'f16', ['$0'], [h], [h.astype(np.float32)])
    wide = decimals(rng_of('half'), (65,), -7e4, 7e4, 3)
    with np.errstate(over='ignore'):
        s.known('half', 'f32', ['$0'], [wide], [wide.astype(np.float16)])
    return s.cases
