"""Fourier transforms along several axes and of windows, and what comes with them."""
from functools import partial

import numpy as np
import torch

from .spectra import add, pairs, parts, values
from .suite import Suite, decimals, rng_of


def cases():
    suite = Suite()
    one = partial(add, suite)

    for op in ('fftn', 'ifftn', 'rfftn', 'irfftn', 'fft2', 'ifft2', 'rfft2', 'irfft2'):
        shape = lambda *s: s if op.startswith('rfft') else (*s, 2)
        one(op, '[4, 6]', values(op, *shape(4, 6)), {})
        one(op, '[2, 3, 5]', values(op, *shape(2, 3, 5)), {})
        one(op, '[2, 3, 5] dim', values(op, *shape(2, 3, 5)), {'dim': [0, 2]})
        one(op, '[2, 3, 5] s', values(op, *shape(2, 3, 5)), {'s': [4, 4]})
        one(op, '[2, 3, 5] s dim norm', values(op, *shape(2, 3, 5)), {'s': [6, 3], 'dim': [2, 0], 'norm': 'ortho'})
        one(op, '[3, 65]', values(op, *shape(3, 65)), {'norm': 'forward'}, grads=False)

    for op in ('fftshift', 'ifftshift'):
        fn = getattr(torch.fft, op)
        for shape in ((1,), (7,), (8,), (3, 4), (2, 3, 5)):
            suite.add('fft.' + op, f'{list(shape)}', ['$0'], [values(op, *shape)], fn)
            suite.add('fft.' + op, f'{list(shape)} of pairs', ['$0', {'pairs': True}], [values(op, *shape, 2)], lambda t: parts(fn(pairs(t))))
        suite.add('fft.' + op, 'dim', ['$0', {'dim': 1}], [values(op, 3, 4, 5)], lambda t: fn(t, dim=1))
        suite.add('fft.' + op, 'dims', ['$0', {'dim': [0, -1]}], [values(op, 3, 4, 5)], lambda t: fn(t, dim=(0, -1)))
    for n in (1, 2, 7, 8, 65):
        for d in (1.0, 0.25):
            for op, fn in (('fftfreq', torch.fft.fftfreq), ('rfftfreq', torch.fft.rfftfreq)):
                suite.add('fft.' + op, f'{n} {d}', [n, d], [], lambda: fn(n, d, dtype=torch.float64), grads=False, close=False)
        for op, fn in (('hannWindow', torch.hann_window), ('hammingWindow', torch.hamming_window), ('blackmanWindow', torch.blackman_window)):
            for periodic in (True, False):
                suite.add('fft.' + op, f'{n} periodic={periodic}', [n, {'periodic': periodic}], [], lambda: fn(n, periodic=periodic, dtype=torch.float64), grads=False, close=False)

    z, w = values('a', 3, 5, 2), values('b', 5, 2)
    suite.add('fft.complex', 'of both', ['$0', '$1'], [values('re', 3, 4), values('im', 4)], lambda x, y: parts(torch.complex(x, y.expand(3, 4))))
    suite.add('fft.complex', 'of real', ['$0'], [values('re', 3, 4)], lambda x: parts(torch.complex(x, torch.zeros_like(x))))
    suite.add('fft.real', '', ['$0'], [z], lambda t: pairs(t).real)
    suite.add('fft.imag', '', ['$0'], [z], lambda t: pairs(t).imag)
    suite.add('fft.conj', '', ['$0'], [z], lambda t: parts(pairs(t).conj()))
    suite.add('fft.complexMul', '', ['$0', '$1'], [z, w], lambda a, b: parts(pairs(a) * pairs(b)))
    z[0, 0] = 0
    suite.add('fft.complexAbs', 'with a zero', ['$0'], [z], lambda t: pairs(t).abs())

    def short(name, shape, n, options, torch_options):
        x = values('signal', *shape)
        inputs = [x]
        given = dict(options)
        if 'window' in torch_options:
            inputs.append(np.abs(decimals(rng_of('window', n), (torch_options['window'],), 0.1, 1)))
            given['window'] = '$1'
        own = {**torch_options}
        own.pop('window', None)
        run = lambda t, w=None: parts(torch.stft(t, n, window=torch.ones(n, dtype=t.dtype) if w is None else w, win_length=None if w is None else len(w), return_complex=True, **own))
        suite.add('fft.stft', name, ['$0', n, given] if given else ['$0', n], inputs, run, close=False)
        if options.get('center', True):
            tensors = [torch.from_numpy(a).double() for a in inputs]
            spectrum = run(*tensors).numpy().astype(np.float32)
            back = lambda t, w=None: torch.istft(pairs(t), n, window=torch.ones(n, dtype=t.dtype) if w is None else w, win_length=None if w is None else len(w), **{k: v for k, v in own.items() if k != 'pad_mode'})
            suite.add('fft.istft', name, ['$0', n, given] if given else ['$0', n], [spectrum, *inputs[1:]], back, close=False)

    short('[40]', (40,), 8, {}, {'pad_mode': 'reflect'})
    short('[2, 40]', (2, 40), 8, {}, {'pad_mode': 'reflect'})
    short('window', (2, 41), 9, {'hopLength': 3}, {'window': 9, 'hop_length': 3, 'pad_mode': 'reflect'})
    short('short window', (2, 41), 12, {'hopLength': 3}, {'window': 7, 'hop_length': 3, 'pad_mode': 'reflect'})
    short('not centred', (2, 41), 8, {'hopLength': 3, 'center': False}, {'hop_length': 3, 'center': False})
    short('normalized', (30,), 8, {'normalized': True}, {'normalized': True})
    short('both sides', (30,), 8, {'onesided': False}, {'onesided': False})
    return suite.cases
