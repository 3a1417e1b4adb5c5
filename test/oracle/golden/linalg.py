"""Linear algebra: factorisations, solvers, norms. Vectors whose signs are free come as sums of products of pairs (withoutSigns.ts)."""
import math

import numpy as np
import torch

from .suite import Suite, decimals, rng_of

L = torch.linalg
BATCHES = ((1, 1), (2, 2), (3, 3), (7, 7), (2, 3, 3), (2, 1, 4, 4), (0, 3, 3), (0, 0), (2, 0, 0))
RECTANGLES = ((3, 3), (5, 3), (3, 5), (1, 4), (4, 1), (7, 6), (2, 4, 3), (2, 3, 4), (2, 0, 3, 2), (0, 3), (3, 0))


def general(shape, *seed, scale=2):
    """Far from singular, with large numbers beside the diagonal: rows have to be exchanged."""
    x = decimals(rng_of(shape, 'general', *seed), shape, -1, 1)
    m, n = shape[-2:]
    for i in range(min(m, n)):
        x[..., (i + 1) % m if m <= n else i + 1 if i + 1 < m else 0, i] += np.float32(scale + 0.5 * i)
    return np.round(x, 2).astype(np.float32)


def apart(shape):
    """With singular values by whose distances second derivatives can be divided twice."""
    for seed in range(100):
        x = general(shape, seed)
        s = np.linalg.svd(x, compute_uv=False)
        if np.min(-np.diff(s, axis=-1)) > 0.9 and np.min(s) > 0.7:
            return x
    raise AssertionError(shape)


def symmetric(shape, *seed):
    """With eigenvalues apart, of both signs."""
    x = decimals(rng_of(shape, 'symmetric', *seed), shape, -0.5, 0.5)
    n = shape[-1]
    x = np.tril(x) + np.swapaxes(np.tril(x, -1), -1, -2)
    for i in range(n):
        x[..., i, i] += np.float32(1.5 * ((i * 3) % n if n % 3 else i) - 0.7 * n)
    return np.round(x, 2).astype(np.float32)


def definite(shape, *seed):
    x = decimals(rng_of(shape, 'definite', *seed), shape, -1, 1)
    n = shape[-1]
    return np.round(x @ np.swapaxes(x, -1, -2) / max(n, 1) + np.eye(n), 2).astype(np.float32)


def triangle(shape, upper, *seed):
    x = decimals(rng_of(shape, 'triangle', *seed), shape, -1, 1)
    n = shape[-1]
    x = x + np.eye(n, dtype=np.float32) * 2
    # The other triangle is not read, and so not zero.
    return np.round(x, 2).astype(np.float32)


def sides(shape, *seed):
    return decimals(rng_of(shape, 'sides', *seed), shape, -2, 2)


def name(*shapes):
    return ' '.join(str(list(s)) for s in shapes)


def weighed(left, right):
    return (left * torch.arange(1, left.shape[-1] + 1)) @ right


def completed(factor, k):
    rest = factor[..., k:].detach()
    return rest @ rest.mT


def solve(a, b):
    # PyTorch's gradient for one vector of one number has the wrong shape.
    return L.solve(a, b.unsqueeze(-1)).squeeze(-1) if b.ndim == 1 else L.solve(a, b)


def cond(x, order):
    # PyTorch's gradient fails where it writes infinities in place.
    if order in (2, -2):
        return L.cond(x, order)
    value = L.matrix_norm(x, order) * L.matrix_norm(L.inv(x), order)
    np.testing.assert_allclose(value.detach(), L.cond(x.detach(), order), rtol=1e-5)
    return value


def eigh(x, uplo='L'):
    values, v = L.eigh(x, uplo)
    return values, weighed(v, v.mT)


def svd(x, full=True):
    if x.numel() == 0 and full:
        # PyTorch's gradient of empty full matrices fails.
        u, s, vh = (t.detach() for t in L.svd(x))
    else:
        u, s, vh = L.svd(x, full_matrices=full)
    k = s.shape[-1]
    first, last = u[..., :k], vh[..., :k, :]
    pairs = [s, weighed(first, last), weighed(first, first.mT), weighed(last.mT, last)]
    return pairs + [completed(u, k), completed(vh.mT, k)] if full else pairs


def qr(x, mode='reduced'):
    q, r = L.qr(x, mode)
    if mode != 'complete':
        return q, r
    k = min(x.shape[-2:])
    ours, factor = L.qr(x)
    below = torch.zeros(*x.shape[:-2], x.shape[-2] - k, x.shape[-1], dtype=x.dtype)
    return ours, completed(q, k), torch.cat([factor, below], -2)


# Of eigenvalues and singular values: eigenvalues.py has these.
SPECTRAL = {'linalg.' + op for op in 'eigh eigvalsh svd svdvals pinv lstsq matrixRank cond norm matrixNorm vectorNorm'.split()}


def is_spectral(case):
    return (case['args'][0] if case['op'] == 'gradientOf' else case['op']) in SPECTRAL


def cases():
    return [case for case in all_cases() if not is_spectral(case)]


def all_cases():
    suite = Suite()
    add = suite.add
    for shape in BATCHES:
        n = shape[-1]
        add('linalg.cholesky', name(shape), ['$0'], [definite(shape)], L.cholesky)
        add('linalg.inv', name(shape), ['$0'], [general(shape)], L.inv)
        add('linalg.det', name(shape), ['$0'], [general(shape, scale=1)], L.det)
        add('linalg.slogdet', name(shape), ['$0'], [general(shape)], lambda x: L.slogdet(x))
        add('linalg.lu', name(shape), ['$0'], [general(shape)], L.lu)
        add('linalg.eigh', name(shape), ['$0'], [symmetric(shape)], eigh)
        add('linalg.eigvalsh', name(shape), ['$0'], [symmetric(shape)], L.eigvalsh)
        add('linalg.solve', name(shape, (*shape[:-1], 2)), ['$0', '$1'], [general(shape), sides((*shape[:-1], 2))], L.solve)
        if shape in ((3, 3), (7, 7), (2, 1, 4, 4), (0, 3, 3)):
            add('linalg.matrixExp', name(shape), ['$0'], [decimals(rng_of(shape, 'exp'), shape, -1, 1)], L.matrix_exp)
    add('linalg.cholesky', '[3, 3] upper', ['$0', {'upper': True}], [definite((3, 3))], lambda x: L.cholesky(x, upper=True))
    add('linalg.cholesky', '[33, 33]', ['$0'], [definite((33, 33))], L.cholesky, grads=False)
    add('linalg.cholesky', 'a view', ['$0'], [definite((4, 4))], L.cholesky, views={0: [['transpose', 0, 1], ['slice', 0, 0, 3, 1], ['slice', 1, 0, 3, 1]]})
    add('linalg.eigh', '[3, 3] of the upper triangle', ['$0', 'U'], [np.triu(symmetric((3, 3))) + np.tril(np.ones((3, 3), np.float32), -1)], lambda x: eigh(x, 'U'))
    add('linalg.eigh', '[3, 3] of the lower triangle', ['$0'], [np.tril(symmetric((3, 3))) + np.triu(np.ones((3, 3), np.float32), 1)], eigh)
    add('linalg.eigh', 'of a diagonal', ['$0'], [np.diag(np.array([3, -1, 2, 0.5], np.float32))], eigh)
    add('linalg.norm', 'nuc of equal singular values', ['$0', 'nuc'], [np.diag(np.array([2, -2, 2, 1], np.float32))], lambda x: L.norm(x, 'nuc'))
    add('linalg.eigvalsh', '[3, 3] of the upper triangle', ['$0', 'U'], [np.triu(symmetric((3, 3)))], lambda x: L.eigvalsh(x, 'U'))
    add('linalg.eigvalsh', '[17, 17]', ['$0'], [symmetric((17, 17))], L.eigvalsh, grads=False)
    for a, b in (((3, 3), (3,)), ((2, 3, 3), (2, 3)), ((3, 3), (2, 3, 2)), ((2, 3, 3), (3, 2)), ((2, 1, 3, 3), (3, 3, 2)), ((1, 1), (1,)), ((3, 3), (3, 0)), ((7, 7), (7, 5)), ((0, 3, 3), (0, 3)), ((0, 0), (0,))):
        add('linalg.solve', name(a, b), ['$0', '$1'], [general(a), sides(b)], solve)
    for a, b in (((3, 3), (2, 3)), ((2, 3, 3), (2, 3)), ((2, 3, 3), (1, 4, 3))):
        if a[:-1] != b:
            add('linalg.solve', name(a, b) + ' left false', ['$0', '$1', {'left': False}], [general(a), sides(b)], lambda x, y: L.solve(x, y, left=False))
    add('linalg.solve', '[33, 33] [33, 2]', ['$0', '$1'], [general((33, 33), scale=4), sides((33, 2))], L.solve, grads=False)
    add('linalg.solve', 'of views', ['$0', '$1'], [general((4, 4)), sides((6, 4))], L.solve, views={0: [['transpose', 0, 1]], 1: [['transpose', 0, 1], ['slice', 1, 0, 6, 2]]})
    for a, b in (((1, 1), (1, 1)), ((3, 3), (3, 2)), ((7, 7), (7, 3)), ((2, 3, 3), (3, 2)), ((3, 3), (2, 3, 1)), ((0, 3, 3), (3, 2)), ((0, 0), (0, 3)), ((3, 3), (3, 0))):
        for upper in (False, True):
            add('linalg.solveTriangular', f'{name(a, b)} {upper}', ['$0', '$1', {'upper': upper}], [triangle(a, upper), sides(b)], lambda x, y: L.solve_triangular(x.triu() if upper else x.tril(), y, upper=upper))
            if a[-1] == b[-2]:
                c = (*b[:-2], b[-1], b[-2])
                options = {'upper': upper, 'left': False, 'unitriangular': True}
                add('linalg.solveTriangular', f'{name(a, c)} {upper} right, unit', ['$0', '$1', options], [triangle(a, upper), sides(c)],
                    lambda x, y: L.solve_triangular(x.triu(1) if upper else x.tril(-1), y, upper=upper, left=False, unitriangular=True))
    for upper in (False, True):
        for b, a in (((3, 2), (3, 3)), ((2, 3, 2), (3, 3)), ((3, 2), (2, 3, 3)), ((1, 1), (1, 1)), ((0, 2), (0, 0))):
            factor = lambda x: x.triu() if upper else x.tril()
            add('linalg.choleskySolve', f'{name(b, a)} {upper}', ['$0', '$1', {'upper': upper}], [sides(b), triangle(a, upper)], lambda y, x: torch.cholesky_solve(y, factor(x), upper=upper))

    for shape in RECTANGLES:
        if 0 not in shape:
            add('linalg.lu', name(shape) + ' of any proportions', ['$0'], [general(shape)], L.lu)
        empty = 0 in shape
        x = general(shape)
        add('linalg.qr', name(shape), ['$0'], [x], qr, grads=not empty)
        add('linalg.qr', name(shape) + ' complete', ['$0', 'complete'], [x], lambda x: qr(x, 'complete'), grads=not empty)
        add('linalg.svd', name(shape) + ' reduced', ['$0', False], [x], lambda x: svd(x, False), grads=not empty)
        add('linalg.svd', name(shape), ['$0'], [x], svd, grads=not empty)
        add('linalg.svdvals', name(shape), ['$0'], [x], L.svdvals, grads=not empty)
        add('linalg.pinv', name(shape), ['$0'], [x], L.pinv, grads=not empty)
        if not empty:
            add('linalg.matrixRank', name(shape), ['$0'], [x], L.matrix_rank)
    add('linalg.qr', '[4, 3] R alone', ['$0', 'r'], [general((4, 3))], lambda x: (torch.zeros(0), L.qr(x.detach(), 'r')[1]))
    add('linalg.qr', '[17, 9]', ['$0'], [general((17, 9), scale=4)], qr, grads=False)
    add('linalg.svdvals', '[9, 17]', ['$0'], [general((9, 17), scale=4)], L.svdvals, grads=False)
    low = np.outer(np.arange(1, 4), np.arange(1, 5)).astype(np.float32) / 4
    add('linalg.svdvals', 'of rank 1', ['$0'], [low], L.svdvals, grads=False)
    for options, arguments in (({}, {}), ({'atol': 1.5}, {'atol': 1.5}), ({'rtol': 0.5}, {'rtol': 0.5}), ({'atol': 2, 'rtol': 0.01}, {'atol': 2, 'rtol': 0.01})):
        # PyTorch's own tolerance in float64 is float64's: float32's is given.
        given = arguments or {'rtol': 4 * 2 ** -23}
        more = [options] if options else []
        add('linalg.matrixRank', f'of rank 1 {options}', ['$0', *more], [low], lambda x: L.matrix_rank(x, **given))
        add('linalg.pinv', f'of rank 1 {options}', ['$0', *more], [low], lambda x: L.pinv(x, **given))
        add('linalg.matrixRank', f'[2, 4, 3] {options}', ['$0', *more], [general((2, 4, 3))], lambda x: L.matrix_rank(x, **given))
        own = {**options, 'hermitian': True}
        add('linalg.matrixRank', f'[4, 4] hermitian {options}', ['$0', own], [symmetric((4, 4))], lambda x: L.matrix_rank(x, hermitian=True, **given))
        add('linalg.pinv', f'[4, 4] hermitian {options}', ['$0', own], [symmetric((4, 4))], lambda x: L.pinv((x + x.mT) / 2, hermitian=True, **given), grads=False)
    for a, b in (((3, 3), (3, 2)), ((5, 3), (5, 2)), ((3, 5), (3, 2)), ((2, 5, 3), (2, 5, 1)), ((5, 3), (5,)), ((2, 5, 3), (2, 5)), ((2, 5, 3), (5, 2)), ((4, 1), (4, 3))):
        def solution(x, y):
            vector = y.ndim == 1 or tuple(y.shape) == tuple(x.shape[:-1])
            side = y.unsqueeze(-1) if vector else y
            z = L.pinv(x) @ side
            rest = ((x @ z - side) ** 2).sum(-2) if x.shape[-2] > x.shape[-1] else torch.zeros(0)
            if vector:
                z, rest = z.squeeze(-1), rest.squeeze(-1) if rest.numel() else rest
            return z, rest
        x, y = general(a), sides(b)
        if len(b) > 1 and a[:-2] == b[:-2] and a[:-1] != b:
            # PyTorch's own, on which the composition is checked.
            np.testing.assert_allclose(L.lstsq(torch.from_numpy(x), torch.from_numpy(y)).solution, solution(torch.from_numpy(x), torch.from_numpy(y))[0], rtol=1e-4, atol=1e-4)
        add('linalg.lstsq', name(a, b), ['$0', '$1'], [x, y], lambda x, y: (*solution(x, y), L.matrix_rank(x), L.svdvals(x.detach())))
        add('linalg.lstsq', name(a, b) + ' gels', ['$0', '$1', {'driver': 'gels'}], [x, y], lambda x, y: (*solution(x, y), torch.zeros(0, dtype=torch.int32), torch.zeros(0)))

    for shape in ((3, 3), (2, 3, 3), (7, 7), (1, 1)):
        for k in (-3, -2, -1, 0, 1, 2, 5):
            add('linalg.matrixPower', f'{name(shape)} {k}', ['$0', k], [decimals(rng_of(shape, 'power'), shape, -0.4, 0.4) + np.eye(shape[-1], dtype=np.float32)], lambda x: L.matrix_power(x, k))
        factors = lambda x: torch.linalg.lu_factor(x)
        add('linalg.luFactor', name(shape), ['$0'], [general(shape)], factors)
        for left in (True, False):
            for adjoint in (True, False):
                lu, pivots = (t.numpy() for t in L.lu_factor(torch.from_numpy(general(shape))))
                lu = np.round(lu, 2)
                b = (*shape[:-1], 2) if left else (*shape[:-2], 2, shape[-1])
                options = {'left': left, 'adjoint': adjoint}
                add('linalg.luSolve', f'{name(shape)} {options}', ['$0', '$1', '$2', options], [lu, pivots.astype(np.int32), sides(b)],
                    lambda f, p, y: L.lu_solve(f, p, y, left=left, adjoint=adjoint))
    add('linalg.matrixExp', 'of zeros', ['$0'], [np.zeros((3, 3), np.float32)], L.matrix_exp)
    add('linalg.matrixExp', 'large', ['$0'], [np.array([[-9, 4], [0, -12.5]], np.float32)], L.matrix_exp)
    add('linalg.matrixExp', 'large and small', ['$0'], [np.stack([np.array([[0, 20], [-20, 0]]), np.array([[0.01, 0], [0.02, 0.01]])]).astype(np.float32)], L.matrix_exp)
    add('linalg.det', 'singular', ['$0'], [low[:3, :3]], L.det, grads=False)
    add('linalg.slogdet', 'singular', ['$0'], [np.array([[1, 2], [2, 4]], np.float32)], lambda x: L.slogdet(x), grads=False)
    add('linalg.tensorinv', '[4, 6, 8, 3] 2'.replace('4, 6, 8, 3', '2, 3, 3, 2'), ['$0'], [general((6, 6)).reshape(2, 3, 3, 2)], L.tensorinv)
    add('linalg.tensorinv', '[6, 3, 2] 1', ['$0', 1], [general((6, 6)).reshape(6, 3, 2)], lambda x: L.tensorinv(x, 1))
    add('linalg.tensorsolve', '[2, 3, 6] [2, 3]', ['$0', '$1'], [general((6, 6)).reshape(2, 3, 6), sides((2, 3))], L.tensorsolve)
    add('linalg.tensorsolve', '[2, 6, 3] dims', ['$0', '$1', [1]], [general((6, 6)).reshape(2, 6, 3), sides((2, 3))], lambda x, y: L.tensorsolve(x, y, dims=(1,)))
    add('linalg.multiDot', 'three', [['$0', '$1', '$2']], [sides((2, 3)), sides((3, 4)), sides((4, 2))], lambda *x: L.multi_dot(x))

    inf = math.inf
    for shape in ((3, 3), (5, 3), (3, 5), (2, 3, 4), (1, 1)):
        x = general(shape)
        for order in ('fro', 'nuc', 1, -1, 2, -2, inf, -inf):
            given = float(order) if order in (inf, -inf) else order
            add('linalg.matrixNorm', f'{name(shape)} {order}', ['$0', given], [x], lambda x: L.matrix_norm(x, order))
            if len(shape) == 2:
                add('linalg.norm', f'{name(shape)} {order}', ['$0', given], [x], lambda x: L.norm(x, order))
            if shape[-1] == shape[-2]:
                add('linalg.cond', f'{name(shape)} {order}', ['$0', given], [x], lambda x: cond(x, order))
        add('linalg.cond', name(shape), ['$0'], [x], L.cond)
        add('linalg.matrixNorm', f'{name(shape)} keepDim', ['$0', 'nuc', [-1, -2], {'keepDim': True}], [x], lambda x: L.matrix_norm(x, 'nuc', (-1, -2), keepdim=True))
    add('linalg.matrixNorm', '[3, 2, 4] of other axes', ['$0', 1, [2, 0]], [general((3, 2, 4))], lambda x: L.matrix_norm(x, 1, (2, 0)))
    add('linalg.matrixNorm', '[3, 2, 4] of other axes keepDim', ['$0', 2, [0, 2], {'keepDim': True}], [general((3, 2, 4))], lambda x: L.matrix_norm(x, 2, (0, 2), keepdim=True))
    add('linalg.cond', 'singular', ['$0', 1], [np.array([[1, 2], [2, 4]], np.float32)], lambda x: L.cond(x, 1), grads=False)
    for shape in ((7,), (3, 4), (2, 3, 4), (65,)):
        x = decimals(rng_of(shape, 'norm'), shape, 0.2, 2) * np.where(np.arange(math.prod(shape)).reshape(shape) % 3 == 1, -1, 1).astype(np.float32)
        for order in (2, 1, 3, 0.5, 0, inf, -inf):
            given = float(order) if order in (inf, -inf) else order
            add('linalg.vectorNorm', f'{name(shape)} {order}', ['$0', given], [x], lambda x: L.vector_norm(x, order))
            add('linalg.vectorNorm', f'{name(shape)} {order} along the last', ['$0', given, -1, {'keepDim': True}], [x], lambda x: L.vector_norm(x, order, -1, keepdim=True))
        add('linalg.norm', name(shape), ['$0'], [x], L.norm)
        add('linalg.norm', f'{name(shape)} 3 along one', ['$0', 3, 0], [x], lambda x: L.norm(x, 3, 0))
    add('linalg.norm', '[2, 3, 4] fro', ['$0', 'fro', [0, 2]], [general((2, 3, 4))], lambda x: L.norm(x, 'fro', (0, 2)))
    def second(op, f, x, *rest, label=''):
        def gradient(x):
            y = f(x)
            total = sum(t.sin().sum() for t in (y if isinstance(y, (tuple, list)) else [y]))
            if not x.requires_grad:
                # The float32 run, for which no gradient is tracked.
                x = x.clone().requires_grad_()
                y = f(x)
                total = sum(t.sin().sum() for t in (y if isinstance(y, (tuple, list)) else [y]))
                return torch.autograd.grad(total, x)[0]
            return torch.autograd.grad(total, x, create_graph=True)[0]

        add('gradientOf', f'{op} {name(x.shape)}{label}', [op, '$0', *rest], [x], gradient)

    # Symmetric as functions of any matrix: PyTorch's second derivatives by the one triangle differ in what they say of the other.
    for shape in ((3, 3), (2, 2, 2)):
        second('linalg.cholesky', L.cholesky, definite(shape))
        second('linalg.inv', L.inv, general(shape))
        second('linalg.det', L.det, general(shape, scale=1))
        second('linalg.slogdet', lambda x: L.slogdet(x)[1], general(shape))
        second('linalg.eigvalsh', L.eigvalsh, symmetric(shape))
        second('linalg.eigh', eigh, symmetric(shape))
    second('linalg.matrixExp', L.matrix_exp, decimals(rng_of('second exp'), (2, 2), -1, 1))
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2)):
        second('linalg.lu', lambda x: L.lu(x)[1:], general(shape))
        second('linalg.qr', L.qr, general(shape))
        second('linalg.svdvals', L.svdvals, general(shape))
        second('linalg.svd', lambda x: svd(x, False), apart(shape), False)
        second('linalg.pinv', L.pinv, general(shape))
    return suite.cases
