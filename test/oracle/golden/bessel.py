"""Modified Bessel functions, the higher derivatives of digamma, and Hurwitz' zeta function."""
import numpy as np
import torch

from .elementwise import floats
from .suite import Suite

SHAPES = [(65,), (), (1,), (0, 3), (3, 7), (2, 1, 5)]
FUNCTIONS = {'i0': torch.special.i0, 'i0e': torch.special.i0e, 'i1': torch.special.i1, 'i1e': torch.special.i1e}


class Zeta(torch.autograd.Function):
    """PyTorch's has no gradient by its first argument: that is a central difference here, in float64 good to 1e-9."""

    @staticmethod
    def forward(ctx, x, q):
        ctx.save_for_backward(x, q)
        return torch.special.zeta(x, q)

    @staticmethod
    def backward(ctx, gradient):
        x, q = ctx.saved_tensors
        by_x = (torch.special.zeta(x + 1e-5, q) - torch.special.zeta(x - 1e-5, q)) / 2e-5
        return gradient * by_x, gradient * -x * torch.special.zeta(x + 1, q)


def zeta(x, q):
    return Zeta.apply(*torch.broadcast_tensors(x, q))


def cases():
    suite = Suite()
    for name, fn in FUNCTIONS.items():
        for shape in SHAPES:
            suite.add(name, f'{list(shape)}', ['$0'], [floats(name, shape, (-12, 12))], fn)
        suite.add(name, 'of a view', ['$0'], [floats(name, (5, 6), (-12, 12))], fn, views={0: [['transpose', 0, 1], ['slice', 1, 0, 5, 2]]})
        near = np.array([0, -0.0, 1e-6, -1e-3, 0.25, 7.9, 8, 8.1, -8, -7.99, 3, -20], np.float32)
        suite.add(name, 'near 0 and 8', ['$0'], [near], fn)
        far = np.array([30, -45, 80, 89.5, 91] if 'e' not in name else [30, -45, 1e3, -1e8, 3e38], np.float32)
        suite.add(name, 'far out', ['$0'], [far], fn, grads=False, close=False)
        suite.add(name, 'of nan', ['$0'], [np.array([np.nan], np.float32)], fn, grads=False)
        suite.add(name, 'of i32', ['$0'], [np.array([-3, 0, 2, 9], np.int32)], fn, grads=False)
    for n in (2, 3, 4, 7, 12):
        for shape in SHAPES:
            x = floats('polygamma', shape, (0.4, 9))
            suite.add('polygamma', f'{n} {list(shape)}', [n, '$0'], [x], lambda t: torch.polygamma(n, t))
        values = np.array([-9.4, -3.3, -2.7, -1.4, -0.25, 0.01, 0.5, 2.5, 7.9, 20, 900][0 if n < 7 else 5:], np.float32)
        suite.add('polygamma', f'{n} below zero and far', [n, '$0'], [values], lambda t: torch.polygamma(n, t), close=False)
        suite.add('polygamma', f'{n} at the poles', [n, '$0'], [np.array([0, -1, -2, np.nan], np.float32)], lambda t: torch.polygamma(n, t), grads=False)
    for shape in SHAPES:
        x, q = floats('zeta', shape, (1.1, 9)), floats('zeta of', shape, (0.3, 7))
        suite.add('zeta', f'{list(shape)}', ['$0', '$1'], [x, q], zeta)
    suite.add('zeta', 'broadcast', ['$0', '$1'], [floats('zeta', (3, 1), (1.1, 9)), floats('zeta of', (7,), (0.3, 7))], zeta)
    x = np.array([1, 0.5, -2, np.nan, 2, 2, 3, 2.5, 2, 3, 4, 30, 12, 1.001], np.float32)
    q = np.array([3, 2, 2, 1, np.nan, 0, -2, -1.5, -1.5, -0.25, -7.3, 0.5, 900, 1], np.float32)
    suite.add('zeta', 'at the edges', ['$0', '$1'], [x, q], torch.special.zeta, grads=False, close=False)
    suite.add('zeta', 'of i32', ['$0', '$1'], [np.array([2, 3, 7], np.int32), np.array([1, 2, 9], np.int32)], torch.special.zeta, grads=False)
    return suite.cases
