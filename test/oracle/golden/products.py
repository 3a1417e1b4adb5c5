"""Sums of products: einsum, tensordot, and the products of matrices by their many names."""
import numpy as np
import torch
import torch.nn.functional as F

from .suite import Suite, decimals, rng_of


def values(shape, *seed):
    return decimals(rng_of(shape, 'product', *seed), shape, -2, 2, 1)


def whole(shape, *seed):
    return rng_of(shape, 'whole', *seed).integers(-5, 6, shape).astype(np.int32)


# The same in NumPy and PyTorch.
EINSUM = [
    ('i->', (7,)), ('i->i', (7,)), ('ij->ji', (3, 4)), ('ij->', (3, 4)), ('ij->i', (3, 65)), ('ij->j', (3, 4)), ('ji', (3, 4)), ('ii', (4, 4)), ('ii->', (3, 3)), ('ii->i', (3, 3)), ('iji->j', (3, 4, 3)), ('iij->ij', (3, 3, 2)),
    ('iii->i', (3, 3, 3)), ('iijj->ij', (2, 2, 3, 3)), ('ijij->ji', (2, 3, 2, 3)), ('bii->b', (2, 3, 3)), ('...ii->...', (2, 3, 4, 4)), ('...ii->...i', (2, 3, 3)), ('i...->...', (3, 4, 2)), ('...', (2, 3)), ('...->...', (2, 3)),
    ('...ij->...ji', (2, 3, 4)), ('ab...c->c...ab', (2, 3, 4, 2)), ('->', ()), ('', ()),
    ('i,i->', (65,), (65,)), ('i,i->i', (7,), (7,)), ('i,j->ij', (3,), (4,)), ('i,j', (3,), (4,)), ('i,i', (3,), (3,)), ('ij,jk->ik', (3, 4), (4, 5)), ('ij,jk', (3, 4), (4, 5)), ('ij,jk->ki', (3, 7), (7, 5)), ('ij,kj->ik', (3, 4), (5, 4)),
    ('ji,jk->ik', (4, 3), (4, 5)), ('ij,jk->', (3, 4), (4, 5)), ('ij,jk->i', (3, 4), (4, 5)), ('ij,jk->ijk', (3, 4), (4, 5)), ('ij,ij->', (3, 4), (3, 4)), ('ij,ij->ij', (3, 4), (3, 4)), ('ij,ij->i', (3, 4), (3, 4)), ('ij,ji->', (3, 4), (4, 3)),
    ('ij,j->i', (3, 4), (4,)), ('i,ij->j', (3,), (3, 4)), ('i,ij', (3,), (3, 4)), ('ij,k->ijk', (2, 3), (2,)), ('ii,i->i', (3, 3), (3,)), ('ii,ij->j', (3, 3), (3, 2)), ('bij,bjk->bik', (2, 3, 4), (2, 4, 5)), ('bij,bjk->ik', (2, 3, 4), (2, 4, 5)),
    ('bij,jk->bik', (2, 3, 4), (4, 5)), ('bij,bkj->bki', (2, 3, 4), (2, 5, 4)), ('bhqd,bhkd->bhqk', (2, 2, 3, 4), (2, 2, 5, 4)), ('bqhd,bkhd->bhqk', (2, 3, 2, 4), (2, 5, 2, 4)), ('abc,cd->abd', (2, 3, 4), (4, 5)), ('abcd,cd->ab', (2, 2, 3, 4), (3, 4)),
    ('...ij,...jk->...ik', (2, 3, 4), (2, 4, 5)), ('...ij,...jk->...ik', (2, 1, 3, 4), (5, 4, 2)), ('...ij,jk->...ik', (2, 2, 3, 4), (4, 5)), ('...ij,...jk', (2, 3, 4), (4, 5)), ('...,...->...', (3, 1), (4,)), ('i...,i...->...', (3, 2), (3, 2)), ('...i,...i->...', (2, 7), (2, 7)),
    ('ij...,jk...->ik...', (2, 3, 4), (3, 2, 4)), ('...a,...b->...ab', (2, 3), (1, 4)),
    ('ij,ij->ij', (1, 4), (3, 4)), ('ij,jk->ik', (3, 1), (4, 5)), ('ij,jk->ik', (3, 4), (1, 5)), ('ij,j->ij', (3, 4), (1,)), ('i,i->i', (1,), (7,)), ('bij,bjk->bik', (1, 3, 4), (2, 4, 5)), ('ij,ij->', (1, 1), (3, 4)), ('ij,ij->i', (3, 1), (1, 1)),
    ('ij,jk->ik', (0, 3), (3, 2)), ('ij,jk->ik', (2, 0), (0, 3)), ('i,j->ij', (0,), (3,)), ('i->', (0,)), ('ii->i', (0, 0)), ('bij,bjk->bik', (0, 2, 3), (0, 3, 2)), ('ij,jk->ik', (1, 1), (1, 1)),
    ('ij,jk,kl->il', (2, 3), (3, 4), (4, 5)), ('ij,jk,kl', (2, 3), (3, 4), (4, 5)), ('i,j,k->ijk', (2,), (3,), (4,)), ('i,i,i->', (7,), (7,), (7,)), ('i,ij,j->', (3,), (3, 4), (4,)), ('ij,ik,il->jkl', (3, 2), (3, 3), (3, 4)),
    ('bi,oij,bj->bo', (3, 2), (4, 2, 5), (3, 5)), ('a,ab,abc->c', (2,), (2, 3), (2, 3, 4)), ('ij,jk,ki->', (2, 3), (3, 4), (4, 2)), ('ij,jj,jk->ik', (2, 3), (3, 3), (3, 2)), ('ea,fb,abcd,gc,hd->efgh', (2, 2), (3, 2), (2, 2, 2, 3), (2, 2), (2, 3)),
    ('...ij,...jk,...kl->...il', (2, 2, 3), (1, 3, 2), (2, 2)), ('i,i,j->j', (3,), (3,), (4,)), ('ab,cd,ef->fedcba', (2, 1), (1, 2), (2, 1)), ('ij , jk -> i k', (2, 3), (3, 2)), ('Aa,aB->BA', (2, 3), (3, 4)), ('Aa,aB', (2, 3), (3, 4)),
    ('b...,b->...', (3, 2, 2), (3,)),
]


def vander(x, columns, increasing):
    """torch.vander writes in place, so that it has no gradient."""
    count = len(x) if columns is None else columns
    powers = [x ** k for k in range(count)]
    y = torch.stack(powers if increasing else powers[::-1], -1) if powers else x.reshape(-1, 1)[:, :0]
    np.testing.assert_allclose(y.detach(), torch.vander(x.detach(), columns, increasing))
    return y


def cases():
    suite = Suite()
    refs = lambda n: [f'${i}' for i in range(n)]
    for equation, *shapes in EINSUM:
        inputs = [values(s, i) for i, s in enumerate(shapes)]
        label = f'{equation} {[list(s) for s in shapes]}'
        # NumPy has the last word on the notation; PyTorch has the gradient.
        expected = np.einsum(equation, *inputs)
        suite.add('einsum', label, [equation, *refs(len(shapes))], inputs, lambda *x: torch.einsum(equation or '->', *x))
        np.testing.assert_allclose(torch.einsum(equation or '->', *map(torch.from_numpy, inputs)).numpy(), expected, rtol=1e-4, atol=1e-4)
        if len(shapes) > 1 and 0 not in sum(shapes, ()):
            ints = [whole(s, i) for i, s in enumerate(shapes)]
            suite.known('einsum', label + ' int32', [equation, *refs(len(shapes))], ints, [np.asarray(np.einsum(equation, *ints), np.int32)])
    a, b = values((2, 3), 'a'), values((3, 4), 'b')
    suite.add('einsum', 'a list of operands', ['ij,jk', ['$0', '$1']], [a, b], lambda a, b: a @ b)
    suite.add('einsum', 'sublists', ['$0', [0, 1], '$1', [1, 2], [2, 0]], [a, b], lambda a, b: (a @ b).T)
    suite.add('einsum', 'sublists without output', ['$0', [7, 30], '$1', [30, 2]], [a, b], lambda a, b: (a @ b).T)
    suite.add('einsum', 'sublists with an ellipsis', ['$0', ['...', 1], '$1', [1, '...'], ['...']], [values((3,), 'c'), values((3, 2), 'd')], lambda a, b: torch.einsum('i,ij->j', a, b))
    suite.add('einsum', 'an ellipsis that is summed', ['...ij->ij', '$0'], [values((2, 2, 3), 'e')], lambda x: x.sum(0))
    suite.add('einsum', 'of views', ['ij,jk->ik', '$0', '$1'], [values((4, 2), 'f'), values((6, 3), 'g')], lambda a, b: a @ b, views={0: [['transpose', 0, 1], ['slice', 1, 0, 4, 1]], 1: [['slice', 0, 1, 5, 1]]})
    suite.add('einsum', 'one operand twice', ['ij,kj->ik', '$0', '$0'], [a], lambda a: a @ a.T)

    for p, q, dims in (((2, 3), (3, 4), 1), ((2, 3, 4), (3, 4, 5), 2), ((2, 3), (4, 5), 0), ((2, 3, 4), (4, 3, 5), [[1, 2], [1, 0]]), ((2, 3), (2, 3), [[0, 1], [0, 1]]), ((2, 3, 4), (5, 3), [[1], [1]]), ((2, 3, 4), (2, 4, 3), [[-1, 0], [1, 0]]),
                       ((3,), (3,), 1), ((), (), 0), ((65,), (65, 2), 1), ((2, 0), (0, 3), 1), ((2, 3), (3, 4), [[], []])):
        arg = dims if isinstance(dims, int) else dims
        suite.add('tensordot', f'{list(p)} {list(q)} {dims}', ['$0', '$1', arg], [values(p, 'a'), values(q, 'b')], lambda a, b: torch.tensordot(a, b, dims))
    suite.add('tensordot', 'by default', ['$0', '$1'], [values((2, 3, 4)), values((3, 4, 5))], lambda a, b: torch.tensordot(a, b))
    for p, q in (((3,), (3,)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 3), (4, 3)), ((2, 1, 3), (4, 3)), ((), (3,)), ((2, 3), ()), ((65,), (65,)), ((0, 3), (2, 3))):
        suite.add('inner', f'{list(p)} {list(q)}', ['$0', '$1'], [values(p, 'a'), values(q, 'b')], torch.inner)
    for p, q in (((2, 3), (3, 4)), ((1, 1), (1, 1)), ((7, 65), (65, 3)), ((0, 3), (3, 2)), ((2, 0), (0, 3))):
        suite.add('mm', f'{list(p)} {list(q)}', ['$0', '$1'], [values(p, 'a'), values(q, 'b')], torch.mm)
        suite.known('mm', f'{list(p)} {list(q)} int32', ['$0', '$1'], [whole(p, 'a'), whole(q, 'b')], [whole(p, 'a') @ whole(q, 'b')])
    for p, q in (((2, 2, 3), (2, 3, 4)), ((1, 1, 1), (1, 1, 1)), ((3, 7, 5), (3, 5, 1)), ((0, 2, 3), (0, 3, 2))):
        suite.add('bmm', f'{list(p)} {list(q)}', ['$0', '$1'], [values(p, 'a'), values(q, 'b')], torch.bmm)
    for p, q in (((2, 3), (3,)), ((1, 1), (1,)), ((7, 65), (65,)), ((0, 3), (3,)), ((2, 0), (0,))):
        suite.add('mv', f'{list(p)} {list(q)}', ['$0', '$1'], [values(p, 'a'), values(q, 'b')], torch.mv)
    for n in (1, 3, 65, 0):
        suite.add('vdot', str(n), ['$0', '$1'], [values((n,), 'a'), values((n,), 'b')], torch.vdot)
    for options, arguments in (({}, {}), ({'beta': 0.5, 'alpha': -2}, {'beta': 0.5, 'alpha': -2}), ({'beta': 0}, {'beta': 0}), ({'alpha': 0.5}, {'alpha': 0.5})):
        more = [options] if options else []
        for x in ((2, 4), (4,), (2, 1), ()):
            suite.add('addmm', f'{list(x)} {options}', ['$0', '$1', '$2', *more], [values(x), values((2, 3)), values((3, 4))], lambda x, a, b: torch.addmm(x, a, b, **arguments))
            suite.add('addr', f'{list(x)} {options}', ['$0', '$1', '$2', *more], [values(x), values((2,)), values((4,))], lambda x, a, b: torch.addr(x, a, b, **arguments))
            suite.add('addbmm', f'{list(x)} {options}', ['$0', '$1', '$2', *more], [values(x), values((3, 2, 3)), values((3, 3, 4))], lambda x, a, b: torch.addbmm(x, a, b, **arguments))
        for x in ((3, 2, 4), (2, 4), (1, 1, 4), ()):
            suite.add('baddbmm', f'{list(x)} {options}', ['$0', '$1', '$2', *more], [values(x), values((3, 2, 3)), values((3, 3, 4))], lambda x, a, b: torch.baddbmm(x.expand(3, 2, 4).clone(), a, b, **arguments))  # of an input that broadcasts, with beta 0, PyTorch 1.13 reads memory that it did not write
        for x in ((2,), (1,), ()):
            suite.add('addmv', f'{list(x)} {options}', ['$0', '$1', '$2', *more], [values(x), values((2, 3)), values((3,))], lambda x, a, b: torch.addmv(x, a, b, **arguments))
    suite.add('addmm', 'beta 0 forgets NaN', ['$0', '$1', '$2', {'beta': 0}], [np.full((2, 4), np.nan, np.float32), values((2, 3)), values((3, 4))], lambda x, a, b: torch.addmm(x, a, b, beta=0) + 0 * a.sum(), grads=False)
    for p, q, w in (((2, 3), (2, 4), (5, 3, 4)), ((3,), (4,), (2, 3, 4)), ((2, 2, 1), (2, 2, 3), (1, 1, 3)), ((0, 3), (0, 2), (2, 3, 2))):
        suite.add('bilinear', f'{list(p)} {list(q)} {list(w)}', ['$0', '$1', '$2'], [values(p), values(q), values(w)], F.bilinear)
        suite.add('bilinear', f'{list(p)} {list(q)} {list(w)} with bias', ['$0', '$1', '$2', '$3'], [values(p), values(q), values(w), values(w[:1])], F.bilinear)
    for p, q in (((2, 3), (2, 2)), ((3,), (2,)), ((2, 2), (3,)), ((2,), (2, 3)), ((1, 1), (2, 3)), ((2, 1, 2), (1, 3, 2)), ((), (3,)), ((0, 2), (2, 2))):
        suite.add('kron', f'{list(p)} {list(q)}', ['$0', '$1'], [values(p, 'a'), values(q, 'b')], torch.kron)
    for p, dim in (((3,), None), ((2, 3), None), ((3, 3), None), ((2, 3), 1), ((3, 4), 0), ((2, 3, 4), -2), ((2, 2, 3), -1), ((0, 3), 1)):
        suite.add('cross', f'{list(p)} {dim}', ['$0', '$1', *([] if dim is None else [dim])], [values(p, 'a'), values(p, 'b')], lambda a, b: torch.cross(a, b, dim) if dim is not None else torch.cross(a, b))
    suite.add('cross', 'that broadcasts', ['$0', '$1', -1], [values((2, 3)), values((3,))], lambda a, b: torch.linalg.cross(a, b.expand(2, 3)))
    for p in (0, 1, 1.5, 2, 3, float('inf')):
        for a, b in (((3, 2), (4, 2)), ((2, 3, 2), (2, 4, 2)), ((2, 1, 3, 2), (3, 2, 2)), ((1, 1), (1, 1)), ((3, 7), (0, 7)), ((2, 65), (3, 65))):
            suite.add('cdist', f'{list(a)} {list(b)} p={p}', ['$0', '$1', p], [decimals(rng_of(a, p, 'a'), a, -2, 2), decimals(rng_of(b, p, 'b'), b, -2, 2)], lambda x, y: torch.cdist(x, y, p, compute_mode='donot_use_mm_for_euclid_dist'))
    suite.add('cdist', 'by default', ['$0', '$1'], [values((3, 2)), values((4, 2))], torch.cdist)
    suite.add('cdist', 'of the same rows', ['$0', '$0'], [values((3, 2))], lambda x: torch.cdist(x, x, compute_mode='donot_use_mm_for_euclid_dist'))
    for shapes in (((2, 3), (3, 4)), ((2, 3), (3, 4), (4, 5)), ((5, 2), (2, 7), (7, 1), (1, 3)), ((2, 2),), ((1, 1), (1, 1), (1, 1)), ((3, 1), (1, 3), (3, 1), (1, 3), (3, 2))):
        inputs = [values(s, i) for i, s in enumerate(shapes)]
        suite.add('chainMatmul', str([list(s) for s in shapes]), refs(len(shapes)), inputs, torch.chain_matmul)
        if len(shapes) > 1:
            suite.add('multiDot', str([list(s) for s in shapes]), [refs(len(shapes))], inputs, lambda *x: torch.linalg.multi_dot(x))
    for shapes in (((2,), (2, 3)), ((2, 3), (3,)), ((2,), (2, 3), (3,)), ((3,), (3,)), ((2,), (2, 3), (3, 4))):
        suite.add('multiDot', str([list(s) for s in shapes]), [refs(len(shapes))], [values(s, i) for i, s in enumerate(shapes)], lambda *x: torch.linalg.multi_dot(x))
    for shape in ((3, 3), (1, 1), (2, 3, 3), (0, 0), (0, 2, 2)):
        for n in (0, 1, 2, 3, 5):
            suite.add('matrixPower', f'{list(shape)} {n}', ['$0', n], [decimals(rng_of(shape, n), shape, -1, 1)], lambda x: torch.linalg.matrix_power(x, n))
    for n in (3, 1, 0, 7):
        for columns in (None, 0, 1, 3, 5):
            for increasing in (False, True):
                args = [columns, *([{'increasing': True}] if increasing else [])]
                x = values((n,), 'vander')
                if n:
                    x[0] = 0
                suite.add('vander', f'{n} {columns} {increasing}', ['$0', *args], [x], lambda x: vander(x, columns, increasing))
    suite.add('vander', 'int32', ['$0', 4], [whole((5,))], lambda x: torch.vander(x, 4), grads=False)
    for p, q in (((3,), (4,)), ((1,), (7,)), ((0,), (3,))):
        suite.add('outer', f'again {list(p)} {list(q)}', ['$0', '$1'], [values(p, 'a'), values(q, 'b')], torch.outer)
    return suite.cases
