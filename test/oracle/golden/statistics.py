"""Order statistics, and the reductions that `reducing` does not have."""
import numpy as np
import torch

from .reducing import SHAPES, options, or_itself, over
from .suite import Suite, decimals, rng_of

LINES = {(1,): [0, -1], (3,): [0], (65,): [0], (3, 7): [0, 1, -1], (2, 3, 4): [0, 1, 2], (7, 1): [0, 1], (4, 0): [0], (2, 65): [1]}


def distinct(name, shape):
    """All different, so that an order is one."""
    count = int(np.prod(shape))
    return np.asarray(rng_of(name, shape, 'distinct').permutation(count).reshape(shape) * 0.13 - count * 0.06, np.float32).round(2)


def missing(x, where=3):
    x = x.copy()
    x.reshape(-1)[::where] = np.nan
    return x


REDUCTIONS = {
    'amax': lambda x, a, k: x.amax(a, keepdim=k),
    'amin': lambda x, a, k: x.amin(a, keepdim=k),
    'nansum': lambda x, a, k: x.nansum(a, keepdim=k),
    'nanmean': lambda x, a, k: x.nanmean(a, keepdim=k),
    'varMean': lambda x, a, k: torch.var_mean(x, a, unbiased=True, keepdim=k),
    'stdMean': lambda x, a, k: torch.std_mean(x, a, unbiased=True, keepdim=k),
    'aminmax': lambda x, a, k: (x.amin(a, keepdim=k), x.amax(a, keepdim=k)),
}
AXIS = {'median': lambda x, d, k: x.median(d, k)[0], 'nanmedian': lambda x, d, k: x.nanmedian(d, k)[0], 'mode': lambda x, d, k: x.mode(d, k)[0]}


def numbers(name, shape):
    if name == 'cumprod':
        return decimals(rng_of(name, shape), shape, 0.8, 1.2)
    return distinct(name, shape) if name in ('amax', 'amin', 'aminmax') or name.startswith('cumm') else decimals(rng_of(name, shape), shape, -3, 3)


def cases():
    suite = Suite()
    for name, fn in REDUCTIONS.items():
        for shape, dims in SHAPES.items():
            for i, dim in enumerate(dims):
                keep = i % 2 == 1
                x = numbers(name, shape)
                reduced = list(range(len(shape))) if dim is None else [dim] if isinstance(dim, int) else dim
                count = int(np.prod([shape[d] for d in reduced]))
                if count == 0 and name in ('amax', 'amin', 'aminmax'):
                    continue
                if count <= 1 and name in ('stdMean', 'varMean'):
                    continue
                label = f'{list(shape)} dim={dim}' + (' keepDim' if keep else '')
                suite.add(name, label, ['$0', *options(dim, keep)], [x], lambda t: or_itself(fn)(t, reduced, keep))
        x = missing(numbers(name, (3, 7))) if name.startswith('nan') else numbers(name, (3, 7))
        suite.add(name, 'of a view', ['$0', 1], [x.T.copy()], lambda t: fn(t, [1], False), views={0: [['transpose', 0, 1]]})
    for name in ('nansum', 'nanmean'):
        x = missing(numbers(name, (4, 6)))
        x[2] = np.nan
        for dim in (None, 0, 1):
            suite.add(name, f'with NaN dim={dim}', ['$0', *options(dim, False)], [x], lambda t: over(REDUCTIONS[name])(t, dim, False), grads=name == 'nansum' or dim is None)
    suite.add('nansum', 'of i32', ['$0', 0], [np.arange(6, dtype=np.int32).reshape(2, 3)], lambda x: x.sum(0), grads=False)
    suite.add('varMean', 'correction 0', ['$0', 1, {'correction': 0}], [numbers('var', (3, 5))], lambda x: torch.var_mean(x, [1], unbiased=False))
    suite.add('stdMean', 'unbiased false', ['$0', 1, {'unbiased': False}], [numbers('var', (3, 5))], lambda x: torch.std_mean(x, [1], unbiased=False))
    for op, fn in (('amax', torch.amax), ('amin', torch.amin)):
        suite.add(op, 'with ties', ['$0', 1], [np.array([[3, 1, 3, 3], [0, 0, 0, 0], [-1, 5, 5, -1]], np.float32)], lambda x: fn(x, 1))

    for name, fn in AXIS.items():
        for shape, dims in LINES.items():
            for i, dim in enumerate(dims):
                if shape == (4, 0):
                    continue
                keep = i % 2 == 1
                values = np.round(distinct(name, shape)) if name == 'mode' else distinct(name, shape)
                suite.add(name, f'{list(shape)} dim={dim}' + (' keepDim' if keep else ''), ['$0', *options(dim, keep)], [values], lambda t: fn(t, dim, keep), grads=name != 'mode' or 65 not in shape)
        suite.add(name, 'of a view', ['$0', 1], [distinct(name, (3, 7))], lambda t: fn(t, 1, False), views={0: [['transpose', 0, 1], ['slice', 0, 0, 7, 2]]})
        suite.add(name, 'of i32', ['$0', 1], [np.array([[3, 1, 2, 1], [5, 5, 4, 4]], np.int32)], lambda t: fn(t, 1, False), grads=False)
        for k, shape in enumerate([(), (1,)]):
            suite.add(name, f'of one {k}', ['$0', 0], [np.full(shape, 2.5, np.float32)], lambda t: fn(t, 0, False))
    for name, fn in (('median', torch.median), ('nanmedian', torch.nanmedian)):
        for shape in ((), (5,), (3, 7), (2, 3, 4)):
            suite.add(name, f'{list(shape)} of all', ['$0'], [distinct(name, shape)], fn)
        suite.add(name, 'with ties', ['$0'], [np.array([1, 2, 2, 2, 3], np.float32)], fn)
        x = missing(distinct(name, (5, 6)), 7)
        x[1] = np.nan
        suite.add(name, 'with NaN', ['$0'], [x], fn, grads=False)
        suite.add(name, 'with NaN dim=1', ['$0', 1], [x], lambda t: AXIS[name](t, 1, False), grads=False)
    suite.add('mode', 'with runs', ['$0', 1], [np.array([[1, 2, 2, 3, 3, 3], [5, 5, 1, 1, 7, 9], [0, 0, 0, 0, 0, 1]], np.float32)], lambda t: t.mode(1)[0])
    for method in ('linear', 'lower', 'higher', 'midpoint', 'nearest'):
        for name, fn in (('quantile', torch.quantile), ('nanquantile', torch.nanquantile)):
            more = {'interpolation': method}
            for shape, dim in (((7,), 0), ((3, 8), 1), ((4, 5), 0), ((2, 3, 4), -2), ((1,), 0)):
                suite.add(name, f'{list(shape)} {method}', ['$0', 0.3, dim, more], [distinct(name, shape)], lambda t: fn(t, 0.3, dim, interpolation=method))
            x = distinct(name, (3, 8))
            suite.add(name, f'of all {method}', ['$0', 0.85, None, more], [x], lambda t: fn(t, 0.85, interpolation=method))
            qs = [0, 0.25, 0.5, 0.9, 1]
            suite.add(name, f'several {method} keepDim', ['$0', qs, 1, {**more, 'keepDim': True}], [x],
                      lambda t: fn(t, torch.tensor(qs, dtype=t.dtype), 1, keepdim=True, interpolation=method))
            suite.add(name, f'by a tensor {method}', ['$0', '$1', 0, more], [x, np.array([0.125, 0.75], np.float32)],
                      lambda t, q: fn(t, q, 0, interpolation=method))
            gaps = missing(distinct(name, (4, 7)), 6)
            gaps[2] = np.nan
            suite.add(name, f'with NaN {method}', ['$0', 0.4, 1, more], [gaps], lambda t: fn(t, 0.4, 1, interpolation=method), grads=False)

    for p in (1, 2, 3, float('inf')):
        suite.add('dist', f'p={p}', ['$0', '$1', p], [decimals(rng_of('da'), (3, 5), -3, 3), decimals(rng_of('db'), (5,), -3, 3)], lambda a, b: torch.dist(a, b, p))
        suite.add('renorm', f'p={p}', ['$0', p, 0, 4], [decimals(rng_of('re', p), (4, 3, 2), -3, 3)], lambda x: torch.renorm(x, p, 0, 4))
    suite.add('renorm', 'dim=-1', ['$0', 2, -1, 2.5], [decimals(rng_of('re'), (4, 3), -3, 3)], lambda x: torch.renorm(x, 2, -1, 2.5))
    return suite.cases
