"""Arranging elements: turning, repeating, padding, diagonals, joining."""
import numpy as np
import torch
import torch.nn.functional as F

from .suite import Suite, decimals, rng_of


def values(shape, *seed):
    return decimals(rng_of(shape, 'arrange', *seed), shape, -4, 4)


def of_kind(shape, kind):
    """Numbers of another dtype."""
    rng = rng_of(shape, kind)
    return rng.uniform(size=shape) < 0.5 if kind == 'bool' else rng.integers(-9, 9, shape).astype(np.int32)


# op, shape, args, in PyTorch
UNARY = [
    *[('fliplr', s, [], torch.fliplr) for s in ((3, 4), (1, 7), (2, 3, 2), (0, 3), (3, 65))],
    *[('flipud', s, [], torch.flipud) for s in ((3,), (3, 4), (1,), (0,), (7, 1, 3))],
    *[('rot90', s, [k, d], lambda x, k, d: torch.rot90(x, k, d)) for s in ((3, 4), (2, 3, 4), (1, 7), (3, 3))
      for k in (-3, -1, 0, 1, 2, 3, 5) for d in ([0, 1], [1, 0])],
    ('rot90', (2, 3, 4), [], lambda x: torch.rot90(x)),
    ('rot90', (2, 3, 4), [1, [-1, 0]], lambda x, k, d: torch.rot90(x, k, d)),
    *[('movedim', (2, 3, 4, 1), list(a), lambda x, s, d: torch.movedim(x, tuple(s) if isinstance(s, list) else s, tuple(d) if isinstance(d, list) else d))
      for a in ((0, 2), (2, 0), (-1, 0), (1, 1), ([0, 1], [2, 0]), ([0, 1, 2, 3], [3, 2, 1, 0]), ([-1, 0], [0, -1]), ([], []))],
    ('moveaxis', (2, 3, 4), [0, -1], torch.moveaxis),
    ('swapaxes', (2, 3, 4), [0, 2], torch.swapaxes),
    ('swapdims', (2, 3, 4), [-1, 1], torch.swapdims),
    *[('ravel', s, [], torch.ravel) for s in ((2, 3), (), (0, 2), (7,))],
    *[('view', s, [a], lambda x, a: x.view(a)) for s, a in (((2, 6), [3, 4]), ((2, 3), [-1]), ((1,), []), ((0, 3), [3, 0]), ((4, 3), [2, -1, 3]))],
    *[(f'atleast{n}d', s, [], getattr(torch, f'atleast_{n}d')) for n in (1, 2, 3) for s in ((), (3,), (0,), (2, 3), (2, 3, 2), (2, 1, 2, 1))],
    *[('unfold', s, a, lambda x, d, n, t: x.unfold(d, n, t)) for s, a in (
        ((7,), [0, 3, 1]), ((7,), [0, 3, 2]), ((7,), [0, 1, 1]), ((7,), [0, 7, 3]), ((65,), [0, 7, 5]), ((3, 7), [1, 2, 3]), ((7, 3), [0, 4, 3]),
        ((2, 7, 3), [-2, 5, 1]), ((1, 1), [0, 1, 1]), ((2, 0, 5), [2, 2, 2]))],
    *[('repeatInterleave', s, a, lambda x, n, d=None: x.repeat_interleave(torch.tensor(n), d)) for s, a in (
        ((3,), [[1, 0, 2], 0]), ((2, 3), [[2, 3], 0]), ((2, 3), [[0, 4, 1], -1]), ((2, 3), [[0, 0, 0], 1]), ((2, 2), [[1, 2, 3, 0]]), ((3, 2, 2), [[2, 1], 1]))],
    *[('repeatInterleave', s, a, lambda x, n, d=None: x.repeat_interleave(n, d)) for s, a in (
        ((2, 3), [2]), ((2, 3), [0, 1]), ((65,), [3, 0]), ((0, 3), [2, 0]), ((2, 1, 3), [3, -2]), ((2, 3), [1, 0]))],
    *[('tril', s, a, torch.tril) for s, a in (((1, 1), []), ((65, 3), [-2]), ((3, 7), [2]), ((2, 1, 4, 4), [1]), ((0, 3), []), ((3, 3), [7]))],
    *[('triu', s, a, torch.triu) for s, a in (((1, 1), []), ((65, 3), [-2]), ((3, 7), [2]), ((2, 1, 4, 4), [1]), ((0, 3), []), ((3, 3), [7]))],
    *[('diagonal', s, a, torch.diagonal) for s, a in (
        ((3, 3), []), ((3, 5), []), ((5, 3), []), ((3, 5), [2]), ((3, 5), [-1]), ((5, 3), [-3]), ((3, 3), [3]), ((3, 3), [-7]), ((3, 3), [9]), ((1, 1), []),
        ((0, 3), []), ((2, 3, 4), []), ((2, 3, 4), [1, 1, 2]), ((2, 3, 4), [0, -1, -2]), ((2, 3, 4), [-1, 2, 0]), ((2, 3, 4, 2), [1, 3, 1]), ((65, 7), [-3]),
        ((2, 3, 4), [1, 0, 2]))],
    *[('diagEmbed', s, a, torch.diag_embed) for s, a in (
        ((3,), []), ((1,), []), ((0,), []), ((3,), [1]), ((3,), [-2]), ((2, 3), []), ((2, 3), [1, 0, 2]), ((2, 3), [-1, 2, 0]), ((2, 3), [0, 1, 0]), ((2, 3), [0, -1, -2]),
        ((2, 3, 2), [2, 0, 1]), ((0, 2), []), ((2, 0), [1]), ((7,), []), ((2, 3, 2), [1, -2, 1]))],
    *[('diag', s, a, torch.diag) for s, a in (((3,), []), ((3,), [2]), ((3,), [-1]), ((3, 4), []), ((3, 4), [1]), ((4, 3), [-2]), ((1,), []), ((3, 3), [3]))],
    *[('diagflat', s, a, torch.diagflat) for s, a in (((2, 2), []), ((3,), [-1]), ((), []), ((2, 1), [2]))],
    *[('trace', s, [], torch.trace) for s in ((3, 3), (1, 1), (3, 7), (65, 65), (0, 3))],
    # PyTorch 1.13 gives another gradient for tall matrices than that of the sum of the diagonal.
    ('trace', (7, 3), [], lambda x: x.diagonal().sum()),
    *[('combinations', s, a, lambda x, r=2, o=None: torch.combinations(x, r, bool(o))) for s, a in (
        ((4,), []), ((4,), [3]), ((3,), [2, {'withReplacement': True}]), ((3,), [1]), ((2,), [3]), ((5,), [4]))],
    *[('tensorSplit', s, a, lambda x, n, d=0: torch.tensor_split(x, tuple(n) if isinstance(n, list) else n, d)) for s, a in (
        ((7,), [3]), ((7, 2), [2]), ((3, 7), [3, 1]), ((3, 7), [[2, 5], 1]), ((7,), [[0, 3, 9]]), ((7,), [[5, 2]]), ((3,), [5]), ((6, 2), [[-2], 0]), ((0, 2), [2]), ((1, 7), [1, -1]))],
    *[(op, s, [n], lambda x, n, fn=fn: fn(x, tuple(n) if isinstance(n, list) else n)) for op, fn, s, n in (
        ('hsplit', torch.hsplit, (6,), 3), ('hsplit', torch.hsplit, (2, 6), 2), ('hsplit', torch.hsplit, (2, 5, 2), [1, 3]), ('vsplit', torch.vsplit, (4, 3), 2),
        ('vsplit', torch.vsplit, (5, 2), [2, 2]), ('dsplit', torch.dsplit, (2, 2, 6), 3), ('dsplit', torch.dsplit, (1, 2, 5), [4]))],
    *[('tile', s, [r], lambda x, r: x.tile(tuple(r))) for s, r in (((2,), [2, 2]), ((1, 3), [3, 1, 2]), ((), [3]), ((2, 3), [0, 1]), ((7, 1), [1, 5]))],
    *[('roll', s, a, lambda x, n, d=None: x.roll(tuple(n) if isinstance(n, list) else n, None if d is None else tuple(d) if isinstance(d, list) else d))
      for s, a in (((65,), [7, 0]), ((3, 1), [1, 1]), ((0, 3), [2, 0]), ((2, 3, 4), [[1, 2], [-1, 0]]), ((2, 3), [-1, -1]), ((3, 7), [1]), ((4,), [[3, 2], [0, 0]]))],
]

PADS = [
    ('reflect', (2, 3, 5), [2, 1]), ('reflect', (2, 3, 5), [4, 4]), ('reflect', (1, 2, 3, 4), [1, 2, 2, 0]), ('reflect', (1, 1, 3, 2, 3), [2, 1, 1, 1, 0, 2]), ('reflect', (3, 7), [0, 3]),
    ('replicate', (2, 3, 5), [2, 1]), ('replicate', (2, 3, 1), [4, 4]), ('replicate', (1, 2, 3, 4), [1, 2, 5, 0]), ('replicate', (1, 1, 3, 2, 3), [2, 1, 1, 1, 0, 2]), ('replicate', (3, 7), [0, 3]),
    ('circular', (2, 3, 5), [2, 1]), ('circular', (2, 3, 5), [5, 5]), ('circular', (1, 2, 3, 4), [1, 2, 2, 0]), ('circular', (1, 1, 3, 2, 3), [2, 1, 1, 1, 0, 2]),
    ('circular', (3, 7), [0, 3]), ('constant', (2, 3), [1, 2, 3, 0]), ('reflect', (1, 2, 65), [64, 3]), ('reflect', (1, 1, 1), [0, 0]),
]


def cases():
    suite = Suite()
    for op, shape, args, fn in UNARY:
        suite.add(op, f'{list(shape)} with {args}', ['$0', *args], [values(shape)], lambda x: fn(x, *args))
    kinds = [('fliplr', [], torch.fliplr), ('rot90', [], torch.rot90), ('diagonal', [1], torch.diagonal), ('diagEmbed', [], torch.diag_embed), ('tril', [], torch.tril),
             ('unfold', [0, 2, 1], lambda x, *a: x.unfold(*a)), ('repeatInterleave', [[2, 0, 1], 0], lambda x, n, d: x.repeat_interleave(torch.tensor(n), d)),
             ('tile', [[2, 1]], lambda x, n: x.tile(tuple(n))), ('movedim', [0, 1], torch.movedim), ('tensorSplit', [2, 1], torch.tensor_split)]
    for op, args, fn in kinds:
        for kind in ('int32', 'bool'):
            suite.add(op, kind, ['$0', *args], [of_kind((3, 4), kind)], lambda x: fn(x, *args), grads=False)
    suite.add('trace', 'bool', ['$0'], [of_kind((5, 5), 'bool')], lambda x: x.long().trace(), grads=False)
    suite.add('trace', 'int32', ['$0'], [of_kind((5, 5), 'int32')], torch.trace, grads=False)
    view = [['transpose', 0, 1], ['slice', 0, 1, 6, 2]]
    for op, args, fn in kinds:
        suite.add(op, 'of a view', ['$0', *args], [values((4, 6))], lambda x: fn(x, *args), views={0: view}) if op != 'tile' else None

    for mode, shape, amounts in PADS:
        def padded(x):
            # PyTorch wants a batch and channels in front, and as many pairs as there are other axes.
            y = x.reshape((1,) * (len(amounts) // 2 + 2 - x.dim()) + tuple(x.shape))
            return F.pad(y, amounts, mode).reshape([d + (amounts[2 * i] + amounts[2 * i + 1] if i < len(amounts) // 2 else 0) for i, d in enumerate(x.shape[::-1])][::-1])
        suite.add('pad', f'{mode} {list(shape)} by {amounts}', ['$0', amounts, {'mode': mode}], [values(shape)], padded)
    for mode, numpy_mode in (('reflect', 'reflect'), ('replicate', 'edge'), ('circular', 'wrap')):
        x = of_kind((3, 5), 'int32')
        suite.known('pad', f'{mode} int32', ['$0', [1, 2, 2, 1], {'mode': mode}], [x], [np.pad(x, ((2, 1), (1, 2)), numpy_mode)])
        suite.known('pad', f'{mode} that crops too', ['$0', [-1, 2], {'mode': mode}], [x], [np.pad(x[:, 1:], ((0, 0), (0, 2)), numpy_mode)])

    counts = np.array([2, 0, 3], np.int32)
    suite.add('repeatInterleave', 'counts in a tensor', ['$0', '$1', 1, {'outputSize': 5}], [values((2, 3)), counts], lambda x, n: x.repeat_interleave(n.long(), 1))
    suite.known('repeatInterleave', 'counts that do not fill the size', ['$0', '$1', 0, {'outputSize': 6}], [values((3,)), counts],
                [np.append(np.repeat(values((3,)), counts), np.float32('nan'))])
    for op, fn in (('reshapeAs', lambda x, y: x.reshape(y.shape)), ('viewAs', lambda x, y: x.view_as(y))):
        suite.add(op, '[2, 6] as [3, 4]', ['$0', '$1'], [values((2, 6)), values((3, 4))], fn)
    suite.add('expandAs', '[3, 1] as [2, 3, 4]', ['$0', '$1'], [values((3, 1)), values((2, 3, 4))], lambda x, y: x.expand_as(y))

    for x, src, args in (((3, 3), (3,), []), ((3, 5), (3,), [1]), ((5, 3), (3,), [-1]), ((2, 3, 4), (4, 2), []), ((2, 3, 4), (3, 2), [-1, 2, 0]), ((2, 3, 4), (2, 3), [0, 1, 2]), ((1, 1), (1,), []), ((3, 3), (0,), [4])):
        suite.add('diagonalScatter', f'{list(x)} with {args}', ['$0', '$1', *args], [values(x), values(src, 'src')], lambda x, s: torch.diagonal_scatter(x, s, *args))

    def lists(*shapes):
        return [values(s, i) for i, s in enumerate(shapes)]
    joins = [
        ('hstack', torch.hstack, [((2, 3), (2, 1)), ((3,), (2,)), ((), (2,)), ((2, 1, 3), (2, 2, 3)), ((2, 0), (2, 3))]),
        ('vstack', torch.vstack, [((2, 3), (1, 3)), ((3,), (3,)), ((3,), (2, 3)), ((), ()), ((0, 3), (2, 3))]),
        ('rowStack', torch.row_stack, [((2,), (2,), (1, 2))]),
        ('dstack', torch.dstack, [((2, 3), (2, 3)), ((3,), (3,)), ((), ()), ((2, 3, 1), (2, 3, 2)), ((2, 3), (2, 3, 2))]),
        ('columnStack', torch.column_stack, [((3,), (3,)), ((3, 2), (3,)), ((), ()), ((2, 3), (2, 1))]),
        ('concat', torch.cat, [((2, 1), (1, 1)), ((3,), (65,))]),
    ]
    for op, fn, table in joins:
        for shapes in table:
            suite.add(op, str([list(s) for s in shapes]), [[f'${i}' for i in range(len(shapes))]], lists(*shapes), lambda *x: fn(x))
    for shapes in (((2, 1), (3,)), ((), (2, 3)), ((3, 1, 1), (1, 2, 1), (7,)), ((1, 0), (3, 1)), ((2, 3),)):
        suite.add('broadcastTensors', str([list(s) for s in shapes]), [f'${i}' for i in range(len(shapes))], lists(*shapes), torch.broadcast_tensors)
    for shapes in (((3,), (2,)), ((2,), (3,), (4,)), ((), (3,)), ((3,),), ((0,), (2,)), ((1,), (7,))):
        for indexing in ('ij', 'xy'):
            suite.add('meshgrid', f'{[list(s) for s in shapes]} {indexing}', [[f'${i}' for i in range(len(shapes))], {'indexing': indexing}], lists(*shapes),
                      lambda *x: torch.meshgrid(*x, indexing=indexing))
    suite.add('meshgrid', 'by default', [['$0', '$1']], lists((2,), (3,)), lambda *x: torch.meshgrid(*x, indexing='ij'))
    for shapes in (((3,), (2,)), ((2,), (3,), (2,)), ((7,),), ((0,), (2,)), ((1,), (1,))):
        suite.add('cartesianProd', str([list(s) for s in shapes]), [f'${i}' for i in range(len(shapes))], lists(*shapes), torch.cartesian_prod)
    for shapes in (((2, 2), (3, 3)), ((2, 3), (1, 2), (3, 1)), ((3,), (2, 2)), ((), (2,)), ((0, 2), (2, 2)), ((2, 2),), ((7, 1), (1, 7))):
        suite.add('blockDiag', str([list(s) for s in shapes]), [f'${i}' for i in range(len(shapes))], lists(*shapes), torch.block_diag)
    for op, fn in (('trilIndices', np.tril_indices), ('triuIndices', np.triu_indices)):
        for n, m, k in ((3, 3, 0), (3, 5, 1), (5, 3, -2), (1, 1, 0), (4, 4, 3), (0, 3, 0), (3, 3, -7)):
            suite.known(op, f'{n} x {m}, {k}', [n, m, k], [], [np.stack(fn(n, k, m)).astype(np.int32)])
    return suite.cases
