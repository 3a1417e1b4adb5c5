"""Reductions: every axis, several axes, all axes, axes kept, ties, empty ones."""
import numpy as np
import torch

from .suite import Suite, decimals, rng_of

# shape: axes to reduce
SHAPES = {
    (): [None],
    (1,): [None, 0],
    (65,): [None, 0],
    (3, 7): [None, 0, 1, -1, [0, 1]],
    (2, 3, 4): [None, 0, 1, 2, [0, 2], [1, 2], [0, 1, 2]],
    (2, 1, 3): [1, [0, 1]],
    (3, 0): [None, 0, 1],
    (7, 65): [0, 1],
}


def over(fn):
    """A reduction of PyTorch as a function of (x, axes, keep)."""
    def reduce(x, axes, keep):
        axes = list(range(x.dim())) if axes is None else [axes] if isinstance(axes, int) else axes
        return fn(x, axes, keep)
    return reduce


def product(x, axes, keep):
    for axis in sorted((a % x.dim() for a in axes), reverse=True):
        x = x.prod(axis, keepdim=True)
    return x if keep else x.reshape([d for i, d in enumerate(x.shape) if i not in [a % x.dim() for a in axes]])


def or_itself(fn):
    """A single number, which some of PyTorch's functions do not take with a list of no axes."""
    return lambda x, axes, keep: fn(x.reshape(1), [0], False) if x.dim() == 0 else fn(x, axes, keep)


REDUCTIONS = {
    'sum': or_itself(lambda x, a, k: x.sum(a, keepdim=k)),
    'mean': or_itself(lambda x, a, k: x.mean(a, keepdim=k)),
    'prod': or_itself(product),
    'max': or_itself(lambda x, a, k: x.amax(a, keepdim=k)),
    'min': or_itself(lambda x, a, k: x.amin(a, keepdim=k)),
    'var': or_itself(lambda x, a, k: x.var(a, unbiased=True, keepdim=k)),
    'std': or_itself(lambda x, a, k: x.std(a, unbiased=True, keepdim=k)),
    'logsumexp': or_itself(lambda x, a, k: x.logsumexp(a, keepdim=k)),
}
EMPTY = {'max': -np.inf, 'min': np.inf}


def values(name, shape):
    rng = rng_of(name, shape, 'reduce')
    if name == 'prod':
        return decimals(rng, shape, 0.6, 1.5)
    if name in ('max', 'min'):
        # All different, so that the gradient has one place to go.
        count = int(np.prod(shape))
        return np.asarray(rng.permutation(count).reshape(shape) * 0.13 - count * 0.06, np.float32).round(2)
    return decimals(rng, shape, -3, 3)


def options(dim, keep):
    return ([] if dim is None and not keep else [dim]) + ([{'keepDim': True}] if keep else [])


def cases():
    suite = Suite()
    for name, fn in REDUCTIONS.items():
        for shape, dims in SHAPES.items():
            for i, dim in enumerate(dims):
                keep = i % 2 == 1
                x = values(name, shape)
                reduced = list(range(len(shape))) if dim is None else [dim] if isinstance(dim, int) else dim
                count = int(np.prod([shape[d] for d in reduced]))
                label = f'{list(shape)} dim={dim}' + (' keepDim' if keep else '')
                args = ['$0', *options(dim, keep)]
                if count == 0 and name in EMPTY:
                    out = [1 if d in reduced else s for d, s in enumerate(shape)] if keep else [s for d, s in enumerate(shape) if d not in reduced]
                    suite.known(name, label, args, [x], [np.full(out, EMPTY[name], np.float32)])
                    continue
                # The unbiased variance of one element is NaN, and so is its gradient.
                grads = not (name in ('var', 'std') and count <= 1)
                suite.add(name, label, args, [x], lambda t: over(fn)(t, dim, keep), grads=grads)
        views = {0: [['transpose', 0, 2], ['slice', 1, 0, 3, 2], ['flip', [0]]]}
        suite.add(name, 'of a view', ['$0', 1], [values(name, (2, 3, 4))], lambda t: over(fn)(t, 1, False), views=views)

    for name, args, fn in (
        ('var', [1, {'correction': 0}], lambda x: x.var(1, unbiased=False)),
        ('var', [0, {'unbiased': False}], lambda x: x.var(0, unbiased=False)),
        ('std', [1, {'correction': 0, 'keepDim': True}], lambda x: x.std(1, unbiased=False, keepdim=True)),
        ('norm', [], lambda x: x.norm()),
        ('norm', [1, 1], lambda x: x.norm(p=1, dim=1)),
        ('norm', [2, 0], lambda x: x.norm(p=2, dim=0)),
        ('norm', [3, 0], lambda x: x.norm(p=3, dim=0)),
        ('norm', [float('inf'), 1], lambda x: x.norm(p=float('inf'), dim=1)),
        ('norm', [float('-inf'), 1], lambda x: x.norm(p=float('-inf'), dim=1)),
    ):
        suite.add(name, f'[3, 7] with {args}', ['$0', *args], [decimals(rng_of(name, args), (3, 7), -3, 3)], fn)
    suite.add('norm', 'of zeros', ['$0'], [np.zeros(3, np.float32)], lambda x: x.norm())
    suite.add('norm', 'p=0', ['$0', 0, 1], [np.array([[0, 1, -2], [0, 0, 3]], np.float32)], lambda x: (x != 0).double().sum(1), grads=False)

    tied = np.array([[3, 1, 3, 3], [0, 0, 0, 0], [-1, 5, 5, -1]], np.float32)
    for name, fn in (('max', torch.amax), ('min', torch.amin)):
        suite.add(name, 'with ties', ['$0', 1], [tied], lambda x: fn(x, 1))
    for name, fn in (('argmax', torch.argmax), ('argmin', torch.argmin)):
        for shape, dims in {(1,): [0], (65,): [0, None], (3, 7): [0, 1, -1, None], (2, 3, 4): [0, 1, 2], (0, 4): [1]}.items():
            for i, dim in enumerate(dims):
                keep = i % 2 == 1 and dim is not None
                x = decimals(rng_of(name, shape, dim), shape, -3, 3)
                label = f'{list(shape)} dim={dim}' + (' keepDim' if keep else '')
                suite.add(name, label, ['$0', *options(dim, keep)], [x], lambda t: fn(t, dim, keep), grads=False)
        suite.add(name, 'takes the first of ties', ['$0', 1], [tied], lambda x: fn(x, 1), grads=False)

    flags = [np.array([[0, 0, 1], [0, 0, 0], [1, 2, 3]], np.float32), np.array([[True, False], [True, True], [False, False]])]
    for x, label in zip(flags, ('f32', 'bool')):
        for dim in (None, 0, 1):
            for name, fn in (('any', torch.any), ('all', torch.all)):
                suite.add(name, f'{label} dim={dim}', ['$0', *options(dim, False)], [x],
                          lambda t: fn(t.bool()) if dim is None else fn(t.bool(), dim), grads=False)
            suite.add('countNonzero', f'{label} dim={dim}', ['$0', *options(dim, False)], [x], lambda t: torch.count_nonzero(t, dim), grads=False)
    empty = np.zeros((2, 0), np.float32)
    suite.known('any', 'empty', ['$0', 1], [empty], [np.array([False, False])])
    suite.known('all', 'empty', ['$0', 1], [empty], [np.array([True, True])])
    return suite.cases
