"""Indexing: NumPy's rules for `at` and `setAt`, and PyTorch's functions that gather and scatter."""
import numpy as np
import torch

from .suite import Suite, decimals, rng_of


def values(shape, *seed):
    return decimals(rng_of(shape, 'index', *seed), shape, -4, 4)


def of_kind(shape, kind):
    rng = rng_of(shape, kind)
    return rng.uniform(size=shape) < 0.5 if kind == 'bool' else rng.integers(-9, 9, shape).astype(np.int32)


def ints(*numbers):
    return np.array(numbers, np.int32)


def positions(shape, below, *seed):
    return rng_of('positions', shape, below, *seed).integers(0, below, shape).astype(np.int32)


def long(fn):
    return lambda *t: fn(*[x.long() if x.dtype == torch.int32 else x for x in t])


def numpy_index(spec, arrays):
    """The index of `at` as NumPy's."""
    def one(part):
        if part == '...':
            return Ellipsis
        if isinstance(part, str):
            return arrays[int(part[1:])]
        return slice(*(part + [None] * (3 - len(part)))) if isinstance(part, list) else part
    return tuple(one(part) for part in spec)


ALL = []
# shape, index, arrays of positions ($1, $2 …)
READ = [
    ((5,), [0], ()), ((5,), [-1], ()), ((5,), [[1, 4]], ()), ((5,), [[None, None, -1]], ()), ((5,), [[3, None, -2]], ()), ((5,), [[4, 1]], ()), ((5,), [[-100, 100, 3]], ()),
    ((5,), [None], ()), ((5,), ['...'], ()), ((), ['...'], ()), ((), [None, '...', None], ()), ((65,), [[1, 60, 7]], ()), ((65,), [[60, 1, -7]], ()),
    ((3, 4), [1, 2], ()), ((3, 4), [[], [None, None, 2]], ()), ((3, 4), [[None, None, -1], [None, None, -1]], ()), ((3, 4), [None, 1, None, [1]], ()), ((3, 4), ['...', 1], ()),
    ((3, 4), [1, '...'], ()), ((3, 4), [[2, 2], 1], ()), ((0, 4), [[], 1], ()), ((1, 7), [0, [None, None, 3]], ()), ((2, 3, 4), [1, '...', [None, None, -2]], ()),
    ((2, 3, 4), ['...', None, 1, [1, 3]], ()), ((2, 3, 4), [[], [None, None, -1], None, -1], ()), ((2, 3, 4), [None, '...', None], ()), ((2, 3, 4), [], ()),
    ((5,), ['$1'], (ints(4, 0, 0, -1),)), ((5,), ['$1'], (ints([1, 2], [3, 4]),)), ((5,), ['$1'], (np.array(2, np.int32),)), ((5,), ['$1'], (np.zeros((0,), np.int32),)),
    ((3, 4), ['$1'], (ints(2, 0, 2),)), ((3, 4), [[], '$1'], (ints(3, 0, -1, 1, 1),)), ((3, 4), ['$1', '$2'], (ints(0, 1, 2), ints(3, -1, 0))),
    ((3, 4), ['$1', '$2'], (ints([0], [2]), ints(1, 3, 0))), ((3, 4), ['$1', 1], (ints(2, 0),)), ((3, 4), [1, '$1'], (ints(2, 0),)), ((3, 4), ['$1', [1, 3]], (ints(2, 0, 1),)),
    ((3, 4), [[None, None, -1], '$1'], (ints(2, 0),)), ((3, 4), [None, '$1'], (ints(2, 0),)), ((3, 4), ['$1', None], (ints(2, 0),)), ((3, 4), ['$1', None, '$2'], (ints(2, 0), ints(1, 3))),
    ((3, 4), ['...', '$1'], (ints(2, 0),)), ((3, 4), ['$1', '...'], (ints(2, 0),)),
    ((2, 3, 4), ['$1', '$2'], (ints(0, 1, 1), ints(2, 0, 1))), ((2, 3, 4), [[], '$1', '$2'], (ints(2, 0), ints(3, 1))), ((2, 3, 4), ['$1', [], '$2'], (ints(1, 0, 1), ints(3, 1, 0))),
    ((2, 3, 4), ['$1', [1], '$2'], (ints([1], [0]), ints(3, 1, 0))), ((2, 3, 4), [0, [], '$1'], (ints(3, 1, 0),)), ((2, 3, 4), [[], 0, '$1'], (ints(3, 1, 0),)),
    ((2, 3, 4), ['$1', [], 0], (ints(1, 1, 0),)), ((2, 3, 4), ['$1', 0], (ints(1, 1, 0),)), ((2, 3, 4), ['$1', '$2', '$3'], (ints(1, 0), ints(2, 2), ints(0, 3))),
    ((2, 3, 4), ['$1', '$2', '$3'], (ints([[1]], [[0]]), ints([0], [2]), ints(3, 1))), ((2, 3, 4), ['...', '$1', [None, None, 2]], (ints(2, 1),)),
    ((2, 3, 4), ['$1', '...', '$2'], (ints(1, 0), ints(3, 3))), ((2, 3, 4), ['$1', '...', '$2', '$3'], (ints(1, 0), ints(2, 1), ints(3, 3))), ((2, 3, 4), [[1, 2], '$1', [None, None, -1]], (ints([2, 1], [0, 0]),)),
    ((2, 3, 4, 2), [[], '$1', [], '$2'], (ints(2, 1, 0), ints(1, 0, 1))), ((2, 3, 4, 2), [[], '$1', '$2', [None, None, -1]], (ints([2], [0]), ints(3, 0))),
    ((2, 3, 4, 2), [1, '$1', '...', 0], (ints(2, 1),)), ((2, 3, 4, 2), [None, '$1', 1, '$2'], (ints(1, 0), ints(3, 1))), ((1, 65), [0, '$1'], (positions((7,), 65),)),
    ((65, 3), ['$1'], (positions((7,), 65),)), ((1, 1), ['$1', '$2'], (ints(0, 0), ints(0, -1))),
]
# shape, index, arrays, shape of the value
WRITE = [
    ((5,), [2], (), ()), ((5,), [-1], (), ()), ((5,), [[1, 4]], (), (3,)), ((5,), [[1, 4]], (), ()), ((5,), [[None, None, -2]], (), (3,)), ((5,), [[4, 1]], (), ()), ((5,), ['...'], (), (5,)), ((), ['...'], (), ()),
    ((65,), [[2, 60, 7]], (), (9,)), ((3, 4), [1], (), (4,)), ((3, 4), [[], 1], (), (3,)), ((3, 4), [[None, None, 2], [None, None, 3]], (), (2, 2)), ((3, 4), [[None, None, 2], [None, None, -1]], (), (4,)),
    ((3, 4), [1, 2], (), ()), ((3, 4), [None, 1], (), (1, 4)), ((3, 4), ['...', -1], (), (1,)), ((2, 3, 4), [1, '...', [1, 3]], (), (3, 1)), ((0, 4), [[], 1], (), ()), ((1, 7), [0, [1, None, 3]], (), (2,)),
    ((5,), ['$2'], (ints(4, 0, 1),), (3,)), ((5,), ['$2'], (ints(4, 0, -2),), ()), ((5,), ['$2'], (np.zeros((0,), np.int32),), ()), ((5,), ['$2'], (ints([4, 0], [2, 1]),), (2, 2)),
    ((3, 4), ['$2'], (ints(2, 0),), (2, 4)), ((3, 4), ['$2'], (ints(2, 0),), (4,)), ((3, 4), [[], '$2'], (ints(3, 0),), (3, 2)), ((3, 4), [[], '$2'], (ints(3, 0),), (3, 1)),
    ((3, 4), ['$2', '$3'], (ints(0, 1, 2), ints(3, -1, 0)), (3,)), ((3, 4), ['$2', '$3'], (ints([0], [2]), ints(1, 3, 0)), (2, 3)), ((3, 4), ['$2', 1], (ints(2, 0),), (2,)), ((3, 4), ['$2', [1, 3]], (ints(2, 0),), (2, 2)),
    ((3, 4), [[None, None, -1], '$2'], (ints(2, 0),), (3, 2)), ((3, 4), ['$2', None], (ints(2, 0),), (2, 1, 4)), ((2, 3, 4), ['$2', [], '$3'], (ints(1, 0, 1), ints(3, 1, 0)), (3, 3)),
    ((2, 3, 4), ['$2', [None, None, 2], '$3'], (ints(1, 0), ints(3, 1)), (2, 2)), ((2, 3, 4), [0, [], '$2'], (ints(3, 1, 0),), (3, 3)), ((2, 3, 4), [[], 0, '$2'], (ints(3, 1, 0),), (2, 3)),
    ((2, 3, 4), ['$2', '$3', '$4'], (ints(1, 0), ints(2, 2), ints(0, 3)), (2,)), ((2, 3, 4), [[1, 2], '$2', [None, None, -1]], (ints(2, 0),), (1, 2, 4)), ((65, 3), ['$2'], (ints(64, 3, 17),), (3, 1)),
]


def read(x, index, arrays):
    places = np.asarray(np.arange(x.numel()).reshape(tuple(x.shape))[numpy_index(index, (None, *arrays))])
    return x.reshape(-1)[torch.from_numpy(places.copy())]


def write(x, value, index, arrays, accumulate):
    places = np.asarray(np.arange(x.numel()).reshape(tuple(x.shape))[numpy_index(index, (None, None, *arrays))])
    fresh = value.expand(places.shape).reshape(-1)
    return x.reshape(-1).index_put((torch.from_numpy(places.copy()).reshape(-1),), fresh, accumulate).reshape(x.shape)


def put(x, s, index):
    y = x.clone()
    y[index] = s
    return y


def scattering(suite):
    # x, dim, index, src
    table = [((3, 5), 0, (2, 5), (2, 5)), ((3, 5), 1, (3, 2), (3, 2)), ((3, 5), 1, (2, 3), (3, 4)), ((3, 5), 0, (2, 3), (2, 3)), ((7,), 0, (4,), (4,)), ((7,), -1, (4,), (65,)), ((2, 3, 4), 1, (2, 2, 4), (2, 2, 4)),
             ((2, 3, 4), -1, (1, 3, 2), (2, 3, 3)), ((65, 1), 0, (7, 1), (7, 1)), ((1,), 0, (1,), (1,)), ((3, 5), 0, (0, 5), (0, 5)), ((2, 0, 3), 2, (2, 0, 3), (2, 0, 3))]
    for shape, dim, at, src in table:
        inputs = [values(shape), None, values(src, 'src')]
        # Each place at most once, so that PyTorch's order does not matter.
        rng = rng_of('scatter', shape, dim, at)
        axis = dim % len(shape)
        single = np.moveaxis(np.array([rng.permutation(shape[axis])[:at[axis]] for _ in range(int(np.prod(at)) // max(at[axis], 1))], np.int32)
                             .reshape(*[d for i, d in enumerate(at) if i != axis], at[axis]), -1, axis).copy() if np.prod(at) else np.zeros(at, np.int32)
        several = positions(at, shape[axis])
        label = f'{list(shape)} along {dim}, index {list(at)}, src {list(src)}'
        # PyTorch has no gradient of a source that is larger than the index.
        used = lambda s: s[tuple(slice(d) for d in at)]
        call = lambda name: long(lambda x, i, s: getattr(x, name)(dim, i, used(s)))
        suite.add('scatter', label, ['$0', dim, '$1', '$2'], [inputs[0], single, inputs[2]], call('scatter'))
        suite.add('scatter', label + ', a number', ['$0', dim, '$1', 1.5], [inputs[0], several], long(lambda x, i: x.scatter(dim, i, 1.5)))
        suite.add('scatterAdd', label, ['$0', dim, '$1', '$2'], [inputs[0], several, inputs[2]], call('scatter_add'))
        for how in ('sum', 'prod', 'mean', 'amax', 'amin'):
            for own in (True, False):
                suite.add('scatterReduce', f'{how} {label}{"" if own else " without its own"}', ['$0', dim, '$1', '$2', how, *([] if own else [{'includeSelf': False}])],
                          [inputs[0], several, inputs[2]], long(lambda x, i, s: x.scatter_reduce(dim, i, used(s), how, include_self=own)))
    x, i, s = of_kind((3, 5), 'int32'), positions((2, 5), 3), of_kind((2, 5), 'int32')
    for name, torch_name in (('scatter', 'scatter'), ('scatterAdd', 'scatter_add')):
        suite.add(name, 'int32', ['$0', 0, '$1', '$2'], [x, ints([0, 1, 2, 0, 1], [1, 2, 0, 1, 2]), s], lambda x, i, s: getattr(x, torch_name)(0, i.long(), s), grads=False)
    for how in ('sum', 'prod', 'mean', 'amax', 'amin'):
        suite.add('scatterReduce', f'{how} int32', ['$0', 0, '$1', '$2', how], [x, i, s], lambda x, i, s: x.scatter_reduce(0, i.long(), s, how), grads=False)
    suite.add('scatter', 'bool', ['$0', 0, '$1', '$2'], [of_kind((5,), 'bool'), ints(3, 0), np.array([True, False])], lambda x, i, s: x.scatter(0, i.long(), s), grads=False)
    suite.known('scatter', 'of several the last, out of range dropped', ['$0', 0, '$1', '$2'], [values((3,)), ints(1, 1, 3, -1), np.array([5, 6, 7, 8], np.float32)],
                [np.array([values((3,))[0], 6, values((3,))[2]], np.float32)])
    suite.add('scatterAdd', 'into a view', ['$0', 0, '$1', '$2'], [values((5, 3)), positions((2, 5), 3), values((5, 4), 'src')],
              lambda x, i, s: x.scatter_add(0, i.long(), s), views={0: [['transpose', 0, 1]], 2: [['transpose', 0, 1], ['slice', 0, 0, 4, 2]]})

    for shape, dim, at in (((5, 3), 0, ints(4, 0)), ((5, 3), 1, ints(2, 2, 0)), ((2, 4, 3), -2, ints(3, 1)), ((7,), 0, ints(6, 1, 1)), ((65,), 0, ints(64, 3)), ((3, 1), 0, np.zeros((0,), np.int32)), ((5, 3), 0, np.array(2, np.int32))):
        axis = dim % len(shape)
        source = values([d if i != axis else at.size for i, d in enumerate(shape)], 'source')
        label = f'{list(shape)} along {dim} at {at.tolist()}'
        once = len(set(at.reshape(-1).tolist())) == at.size
        suite.add('indexAdd', label, ['$0', dim, '$1', '$2'], [values(shape), at, source], long(lambda x, i, s: x.index_add(dim, i, s)))
        suite.add('indexAdd', label + ' alpha', ['$0', dim, '$1', '$2', {'alpha': -1.5}], [values(shape), at, source], long(lambda x, i, s: x.index_add(dim, i, s, alpha=-1.5)))
        if once:
            suite.add('indexCopy', label, ['$0', dim, '$1', '$2'], [values(shape), at, source], long(lambda x, i, s: x.index_copy(dim, i, s)))
        suite.add('indexFill', label, ['$0', dim, '$1', -2.5], [values(shape), at], long(lambda x, i: x.index_fill(dim, i, -2.5)))
        if once:  # PyTorch counts the gradient of repeated places twice
            suite.add('indexFill', label + ' by a tensor', ['$0', dim, '$1', '$2'], [values(shape), at, values(())], long(lambda x, i, v: x.index_fill(dim, i, v)))
        if at.ndim == 1:
            for how in ('prod', 'mean', 'amax', 'amin'):
                for own in (True, False):
                    suite.add('indexReduce', f'{how} {label}{"" if own else " without its own"}', ['$0', dim, '$1', '$2', how, *([] if own else [{'includeSelf': False}])], [values(shape), at, source],
                              long(lambda x, i, s: x.index_reduce(dim, i, s, how, include_self=own)))

    for shape, dim, at in (((3, 4), 0, 1), ((3, 4), -1, -2), ((5,), 0, 4), ((2, 3, 2), 1, 0), ((1, 1), 0, 0)):
        src = values([d for i, d in enumerate(shape) if i != dim % len(shape)], 'src')
        suite.add('selectScatter', f'{list(shape)} {dim} {at}', ['$0', '$1', dim, at], [values(shape), src], lambda x, s: torch.select_scatter(x, s, dim, at))
    for shape, dim, start, end, step in (((5,), 0, 1, 4, 1), ((3, 7), 1, None, None, 3), ((3, 7), -1, -4, -1, 2), ((65,), 0, 3, 60, 7), ((2, 3, 4), 1, 1, 100, 1), ((3, 2), 0, 2, 1, 1)):
        length = len(range(shape[dim])[slice(start, end, step)])
        src = values([d if i != dim % len(shape) else length for i, d in enumerate(shape)], 'src')
        suite.add('sliceScatter', f'{list(shape)} {dim} {start}:{end}:{step}', ['$0', '$1', dim, start, end, *([step] if step != 1 else [])], [values(shape), src],
                  lambda x, s: put(x, s, (slice(None),) * (dim % len(shape)) + (slice(start, end, step),)))
    suite.add('sliceScatter', 'by default', ['$0', '$1'], [values((3, 2)), values((3, 2), 'src')], lambda x, s: s.clone())
    for shape, mask in (((3, 4), (3, 4)), ((3, 4), (4,)), ((7,), (7,)), ((65,), (65,)), ((2, 3), (2, 1)), ((0, 3), (0, 3))):
        m = rng_of('scattered', shape, mask).uniform(size=mask) < 0.5
        count = int(np.broadcast_to(m, shape).sum())
        for source in ((count,), (count + 3,), (2, count)):
            suite.add('maskedScatter', f'{list(shape)} mask {list(mask)} source {list(source)}', ['$0', '$1', '$2'], [values(shape), m, values(source, 'source')],
                      lambda x, m, s: x.clone().reshape(-1).index_put((torch.nonzero(m.expand(x.shape).reshape(-1)).reshape(-1),), s.reshape(-1)[:count]).reshape(x.shape))
            full = torch.from_numpy(values(shape)).masked_scatter(torch.from_numpy(m), torch.from_numpy(values(source, 'source')))
            np.testing.assert_array_equal(np.array([float(v) for v in suite.cases[-1]['outputs'][0]['data']]).reshape(shape).astype(np.float32), full)
    suite.known('maskedScatter', 'too few', ['$0', '$1', '$2'], [values((3,)), np.array([True, True, True]), values((2,), 's')], [np.append(values((2,), 's'), np.float32('nan'))])


def cases():
    suite = Suite()
    for shape, index, arrays in READ:
        label = f'{list(shape)} {index} {[a.tolist() for a in arrays]}'
        suite.add('at', label, ['$0', *index], [values(shape), *arrays], lambda x, *_: read(x, index, arrays))
    for kind in ('int32', 'bool'):
        for shape, index, arrays in (READ[4], READ[23], READ[30], READ[50]):
            suite.add('at', f'{kind} {list(shape)} {index}', ['$0', *index], [of_kind(shape, kind), *arrays], lambda x, *_: read(x, index, arrays), grads=False)
    suite.add('at', 'of a view', ['$0', '$1', [None, None, -1]], [values((4, 5)), ints(4, 0, 2)], lambda x, *_: read(x, ['$1', [None, None, -1]], [ints(4, 0, 2)]), views={0: [['transpose', 0, 1]]})
    x = values((3, 4))
    suite.known('at', 'out of range is NaN', ['$0', '$1', '$2'], [x, ints(0, 3, 1, -4), ints(1, 0, 4, 0)], [np.array([x[0, 1], np.nan, np.nan, np.nan], np.float32)])
    suite.known('at', 'out of range is NaN, one axis', ['$0', '$1'], [x[0], ints(0, 4, -5)], [np.array([x[0, 0], np.nan, np.nan], np.float32)])
    mask = np.array([True, False, True])
    suite.add('at', 'a mask of known size', ['$0', {'mask': '$1', 'size': 2}], [x, mask], lambda x, m: x[m])
    suite.add('at', 'a mask behind a slice', ['$0', [1], {'mask': '$1', 'size': 2}], [values((4, 3)), mask], lambda x, m: x[1:, m])
    suite.add('at', 'a mask of two axes', ['$0', {'mask': '$1', 'size': 7}], [x, x > 0], lambda x, m: torch.cat((x[m], torch.full((7 - int(m.sum()),), float('nan'), dtype=x.dtype))) )

    for shape, index, arrays, value in WRITE:
        for accumulate in (False, True):
            label = f'{list(shape)} {index} {[a.tolist() for a in arrays]} = {list(value)}{" added" if accumulate else ""}'
            suite.add('setAt', label, ['$0', index, '$1', *([{'accumulate': True}] if accumulate else [])], [values(shape), values(value, 'value'), *arrays],
                      lambda x, v, *_: write(x, v, index, arrays, accumulate))
    suite.add('setAt', 'repeated places add up', ['$0', ['$2', '$3'], '$1', {'accumulate': True}], [np.round(values((3, 4))) + 0, np.round(values((4,), 'v')) + 0, ints(0, 0, 2, 0), ints(1, 1, 3, -3)],
              lambda x, v, *_: write(x, v, ['$2', '$3'], (ints(0, 0, 2, 0), ints(1, 1, 3, -3)), True))
    suite.known('setAt', 'out of range is dropped', ['$0', ['$1', '$2'], 9], [x, ints(0, 3, 1), ints(1, 0, -5)], [np.where(np.arange(12).reshape(3, 4) == 1, np.float32(9), x)])
    def masked(x, mask, value, index, accumulate):
        full = value.expand(x[index].shape)
        hit = mask.reshape(mask.shape + (1,) * (x[index].dim() - mask.dim()))
        y = x.clone()
        y[index] = torch.where(hit, full + x[index] if accumulate else full, x[index])
        return y
    for shape, mask_shape, value in (((3, 4), (3, 4), ()), ((3, 4), (3,), (4,)), ((3, 4), (3,), ()), ((7,), (7,), ()), ((2, 3, 4), (2, 3), (4,)), ((2, 3, 4), (2,), (3, 1)), ((65,), (65,), ())):
        mask = rng_of('mask', shape, mask_shape).uniform(size=mask_shape) < 0.5
        for accumulate in (False, True):
            args = ['$0', ['$1'], '$2', *([{'accumulate': True}] if accumulate else [])]
            suite.add('setAt', f'mask {list(mask_shape)} of {list(shape)} = {list(value)} {accumulate}', args, [values(shape), mask, values(value, 'value')],
                      lambda x, m, v: masked(x, m, v, Ellipsis, accumulate))
            if value == ():
                suite.add('indexPut', f'mask {list(mask_shape)} of {list(shape)} {accumulate}', ['$0', ['$1'], '$2', accumulate], [values(shape), mask, values(value, 'value')],
                          lambda x, m, v: x.index_put((m,), v, accumulate))
    suite.add('setAt', 'a mask behind a number', ['$0', [1, '$1'], '$2'], [values((2, 3, 2)), mask[:3], values((2,), 'value')], lambda x, m, v: masked(x, m, v, 1, False))
    for kind in ('int32', 'bool'):
        y = of_kind((3, 4), kind).copy()
        before = y.copy()
        y[1:, ::2] = 1
        suite.known('setAt', kind, ['$0', [[1], [None, None, 2]], 1], [before], [y])
    for shape, arrays, value in (((5,), (ints(4, 0, 0),), (3,)), ((3, 4), (ints(2, 0),), (2, 4)), ((3, 4), (ints(2, 0), ints(3, 1)), (2,)), ((3, 4), (ints([2], [0]), ints(3, 1)), (1, 2)), ((2, 3, 4), (ints(1, 0), ints(2, 1)), (4,))):
        call = lambda accumulate: lambda x, v, *i: x.index_put(tuple(p.long() for p in i), v, accumulate)
        index = [f'${i + 2}' for i in range(len(arrays))]
        label = f'{list(shape)} {[a.tolist() for a in arrays]}'
        suite.add('indexPut', label + ' added', ['$0', index, '$1', True], [values(shape), values(value, 'v'), *arrays], call(True))
        if len(set(map(str, zip(*arrays)))) == len(arrays[0]):
            suite.add('indexPut', label, ['$0', index, '$1'], [values(shape), values(value, 'v'), *arrays], call(False))

    for shape, at in (((5,), ints(4, 0, -1)), ((3, 4), ints([11, 0], [5, -12])), ((2, 3, 2), np.array(7, np.int32)), ((3,), np.zeros((0, 2), np.int32)), ((65,), positions((7,), 65))):
        suite.add('take', f'{list(shape)} {at.tolist()}', ['$0', '$1'], [values(shape), at], long(torch.take))
    for shape, at, dim in (((3, 4), (3, 2), 1), ((3, 4), (1, 2), 1), ((3, 4), (5, 1), 0), ((1, 4), (3, 2), 1), ((2, 3, 4), (2, 1, 2), -1), ((3, 4), (6,), None), ((65,), (7,), 0), ((2, 1, 4), (1, 3, 1), 2)):
        size = int(np.prod(shape)) if dim is None else shape[dim]
        suite.add('takeAlongDim', f'{list(shape)} {list(at)} along {dim}', ['$0', '$1', *([] if dim is None else [dim])], [values(shape), positions(at, size)], long(lambda x, i: torch.take_along_dim(x, i, dim)))
    for shape, mask in (((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 4), (3, 1)), ((7,), (7,)), ((1, 4), (3, 1)), ((0, 3), (3,)), ((65,), (65,)), ((), ())):
        m = rng_of('fill', shape, mask).uniform(size=mask) < 0.5
        suite.add('maskedFill', f'{list(shape)} mask {list(mask)}', ['$0', '$1', -1.5], [values(shape), m], lambda x, m: x.masked_fill(m, -1.5))
        suite.add('maskedFill', f'{list(shape)} mask {list(mask)} by a tensor', ['$0', '$1', '$2'], [values(shape), m, values((), 'fill')], lambda x, m, v: torch.where(m, v, x))
        suite.add('maskedSelect', f'{list(shape)} mask {list(mask)}', ['$0', '$1'], [values(shape), m], torch.masked_select)
        count = int(np.broadcast_to(m, np.broadcast_shapes(shape, mask)).sum())
        suite.add('maskedSelect', f'{list(shape)} mask {list(mask)} of known size', ['$0', '$1', {'size': count}], [values(shape), m], torch.masked_select)
        suite.add('maskedSelect', f'{list(shape)} mask {list(mask)} of larger size', ['$0', '$1', {'size': count + 2, 'fillValue': -1}], [values(shape), m],
                  lambda x, m: torch.cat((torch.masked_select(x, m), torch.full((2,), -1, dtype=x.dtype))))
    for kind in ('int32', 'bool'):
        m = rng_of('fill', kind).uniform(size=(3, 4)) < 0.5
        suite.add('maskedFill', kind, ['$0', '$1', 1], [of_kind((3, 4), kind), m], lambda x, m: x.masked_fill(m, 1), grads=False)
        suite.add('maskedSelect', kind, ['$0', '$1'], [of_kind((3, 4), kind), m], torch.masked_select, grads=False)
    scattering(suite)

    for shape in ((), (5,), (3, 4), (2, 3, 2), (0, 3), (65,), (1, 1)):
        x = rng_of('nonzero', shape).integers(-1, 2, shape).astype(np.int32)
        for kind in (np.int32, np.float32, np.bool_):
            suite.add('nonzero', f'{list(shape)} {kind.__name__}', ['$0'], [np.asarray(x, kind)], torch.nonzero, grads=False)
        count = int(np.count_nonzero(x))
        places = np.argwhere(x).astype(np.int32)
        suite.add('argwhere', str(list(shape)), ['$0'], [x], torch.argwhere, grads=False)
        if shape != ():
            suite.add('nonzero', f'{list(shape)} as vectors', ['$0', {'asTuple': True}], [x], lambda x: torch.nonzero(x, as_tuple=True), grads=False)
            suite.add('where', f'the places of {list(shape)}', ['$0'], [x], torch.where, grads=False)
        for size in sorted({count, count + 2, max(0, count - 1)}):
            rows = np.concatenate((places, np.full((2, len(shape)), -1, np.int32)))[:size]
            suite.known('nonzero', f'{list(shape)} {size} of {count}', ['$0', {'size': size}], [x], [rows])
    return suite.cases
