"""Fourier transforms of complex numbers as pairs, and of real numbers."""
from functools import partial

import numpy as np
import torch

from .suite import Suite, decimals, rng_of

LENGTHS = [1, 2, 3, 5, 7, 8, 12, 16, 17, 31, 60, 64, 65, 97, 128, 131, 257]
LONG = {'fft': [262, 1009, 1024], 'ifft': [210], 'rfft': [1000], 'irfft': [1009]}
FEW = (1, 2, 7, 8, 65, 131)
NORMS = ['backward', 'ortho', 'forward']
pairs = lambda t: torch.complex(t[..., 0], t[..., 1])
parts = lambda z: torch.stack([z.real, z.imag], -1)


def values(name, *shape):
    return decimals(rng_of(name, shape), shape, -2, 2, 1)


def add(suite, op, name, x, options, **more):
    fn = getattr(torch.fft, op)
    takes, gives = op not in ('rfft', 'ihfft', 'rfft2', 'rfftn'), op not in ('irfft', 'hfft', 'irfft2', 'irfftn')
    run = lambda t: (lambda z: parts(z) if gives else z)(fn(pairs(t) if takes else t, **options))
    suite.add('fft.' + op, name, ['$0'] + ([options] if options else []), [x], run, close=False, **more)


def cases():
    suite = Suite()

    one = partial(add, suite)
    for op in ('fft', 'ifft', 'rfft', 'irfft', 'hfft', 'ihfft'):
        real = op in ('rfft', 'ihfft')
        half = op in ('irfft', 'hfft')
        shape = lambda *s: s if real else (*s, 2)
        for n in LENGTHS:
            if op in ('ifft', 'hfft', 'ihfft') and n not in FEW:
                continue
            own = n // 2 + 1 if half else n
            one(op, f'n={n}', values(op, *shape(*([2] if n < 60 else []), own)), {'n': n} if half else {})
        for n in LONG.get(op, []):
            own = n // 2 + 1 if half else n
            one(op, f'n={n} ortho', values(op, *shape(own)), {'n': n, 'norm': 'ortho'} if half else {'norm': 'ortho'}, grads=n in (262, 1000))
        for norm in NORMS:
            one(op, f'norm={norm}', values(op, *shape(3, 10)), {'norm': norm})
        for n in (1, 4, 9, 15, 21):
            one(op, f'10 numbers, n={n}', values(op, *shape(10)), {'n': n})
        one(op, 'of fewer than a long n', values(op, *shape(10)), {'n': 140}, grads=False)
        one(op, 'of more than a short n', values(op, *shape(140)), {'n': 67}, grads=False)
        for dim in (0, 1, -1, -3):
            one(op, f'[2, 4, 3] dim={dim}', values(op, *shape(2, 4, 3)), {'dim': dim})
        one(op, 'dim and n and norm', values(op, *shape(3, 7, 2)), {'n': 6, 'dim': 1, 'norm': 'forward'})
        one(op, 'of none', values(op, *shape(0, 4)), {})
        one(op, 'of a transposed view', values(op, *shape(5, 6)), {}, views={0: [['transpose', 0, 1], ['slice', 1, 0, 5, 2]]})
        if not half:
            one(op, 'of ones', np.ones(shape(12), np.float32), {})
            impulse = np.zeros(shape(70), np.float32)
            impulse.reshape(70, -1)[3, 0] = 1
            one(op, 'of an impulse', impulse, {})
    return suite.cases
