"""What runs along an axis: sums, products and extremes so far, differences, areas."""
import numpy as np
import torch

from .statistics import LINES, distinct, numbers
from .suite import Suite, decimals, rng_of

RUNNING = {'cumsum': torch.cumsum, 'cumprod': torch.cumprod, 'logcumsumexp': torch.logcumsumexp,
           'cummax': lambda x, d: torch.cummax(x, d)[0], 'cummin': lambda x, d: torch.cummin(x, d)[0],
           'cummaxWithIndices': lambda x, d: torch.cummax(x, d), 'cumminWithIndices': lambda x, d: torch.cummin(x, d)}


def cases():
    suite = Suite()
    for name, fn in RUNNING.items():
        for shape, dims in {**LINES, (): [0, -1], (5, 130): [1], (130, 2): [0]}.items():
            for dim in dims:
                if name == 'cumprod' and 130 in shape or name.startswith('cumm') and shape == (4, 0):
                    continue
                x = numbers(name, shape)
                suite.add(name, f'{list(shape)} dim={dim}', ['$0', dim], [x], lambda t: fn(t, dim))
        suite.add(name, 'of a view', ['$0', 1], [numbers(name, (5, 6))], lambda t: fn(t, 1), views={0: [['transpose', 0, 1], ['slice', 1, 0, 5, 2], ['flip', [0]]]})
    for name, fn in (('cumsum', torch.cumsum), ('cumprod', torch.cumprod)):
        suite.add(name, 'of i32', ['$0', 1], [np.array([[1, -2, 3], [2**30, 2**30, 2**30 - 5]], np.int32)], lambda x: fn(x.to(torch.int32), 1, dtype=torch.int32), grads=False)
        suite.add(name, 'of bool', ['$0', 0], [np.array([True, True, False, True])], lambda x: fn(x, 0), grads=False)
    suite.add('cumprod', 'with zeros', ['$0', 1], [np.array([[2, 0, 3, 4], [0, 0, 1, 2], [1, 2, 3, 0]], np.float32)], lambda x: torch.cumprod(x, 1))
    tied = np.array([[3, 1, 3, 3], [0, 0, 0, 0], [-1, 5, 5, -1], [1, np.nan, 2, np.nan]], np.float32)
    for name in ('cummax', 'cummin', 'cummaxWithIndices', 'cumminWithIndices'):
        suite.add(name, 'with ties and NaN', ['$0', 1], [tied], lambda x: RUNNING[name](x, 1), grads=False)
        suite.add(name, 'gradient of ties', ['$0', 1], [tied[:3]], lambda x: RUNNING[name](x, 1))
        suite.add(name, 'of i32', ['$0', 0], [np.array([1, 3, 3, -2, 5], np.int32)], lambda x: RUNNING[name](x, 0), grads=False)
    huge = np.array([[1000, -1000, 0, 1000], [-np.inf, -np.inf, 1, 2], [-1000, -999, 3, np.inf]], np.float32)
    suite.add('logcumsumexp', 'of large numbers', ['$0', 1], [huge], lambda x: torch.logcumsumexp(x, 1), grads=False)
    suite.add('logcumsumexp', 'rising', ['$0', 0], [np.linspace(-300, 300, 50).astype(np.float32).round(1)], lambda x: torch.logcumsumexp(x, 0), close=False)

    for shape, dims in {(5,): [0, -1], (3, 7): [0, 1], (2, 3, 4): [1], (1,): [0], (0,): [0]}.items():
        for dim in dims:
            for n in (1, 2):
                suite.add('diff', f'{list(shape)} n={n} dim={dim}', ['$0', n, dim], [np.round(distinct('diff', shape) * 8) / 8], lambda t: torch.diff(t, n, dim))
            if shape[dim] > 0:
                y = decimals(rng_of('area', shape), shape, -3, 3)
                suite.add('trapezoid', f'{list(shape)} dim={dim}', ['$0', None, {'dim': dim}], [y], lambda t: torch.trapezoid(t, dim=dim))
                suite.add('trapezoid', f'{list(shape)} dim={dim} dx', ['$0', None, {'dim': dim, 'dx': 0.25}], [y], lambda t: torch.trapezoid(t, dx=0.25, dim=dim))
                suite.add('trapezoid', f'{list(shape)} dim={dim} at points', ['$0', '$1', {'dim': dim}], [y, decimals(rng_of('at', shape[dim]), (shape[dim],), -3, 3)],
                          lambda t, x: torch.trapezoid(t, x, dim=dim))
                suite.add('cumulativeTrapezoid', f'{list(shape)} dim={dim}', ['$0', None, {'dim': dim, 'dx': 2}], [y], lambda t: torch.cumulative_trapezoid(t, dx=2, dim=dim))
                suite.add('cumulativeTrapezoid', f'{list(shape)} dim={dim} at points', ['$0', '$1', {'dim': dim}], [y, decimals(rng_of('at', shape), shape, -3, 3)],
                          lambda t, x: torch.cumulative_trapezoid(t, x, dim=dim))
    suite.add('diff', 'prepend append', ['$0', 1, 1, {'prepend': '$1', 'append': '$2'}], [distinct('d', (3, 4)), distinct('p', (3, 2)), distinct('a', (3, 1))],
              lambda t, p, a: torch.diff(t, 1, 1, p, a))
    suite.add('diff', 'bool', ['$0'], [np.array([[True, False, False], [True, True, False]])], torch.diff, grads=False)
    suite.add('diff', 'i32', ['$0', 2], [np.array([1, 4, 9, 16, 20], np.int32)], lambda x: torch.diff(x, 2), grads=False)
    for shape in ((4,), (3, 5), (3, 4, 3)):
        for order in (1, 2):
            suite.add('gradient', f'{list(shape)} edgeOrder={order}', ['$0', {'edgeOrder': order}], [distinct('slope', shape)], lambda t: torch.gradient(t, edge_order=order))
        suite.add('gradient', f'{list(shape)} spacing', ['$0', {'spacing': 0.5, 'dim': -1}], [distinct('slope', shape)], lambda t: torch.gradient(t, spacing=0.5, dim=-1))
    suite.add('gradient', 'a spacing each', ['$0', {'spacing': [2, 0.5], 'dim': [1, 0]}], [distinct('slope', (3, 5))], lambda t: torch.gradient(t, spacing=[2.0, 0.5], dim=[1, 0]))

    return suite.cases
