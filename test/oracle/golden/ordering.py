"""Order: sorting, searching, different elements, counting."""
import numpy as np
import torch

from .suite import Suite, decimals, rng_of


def different(shape, *seed):
    """All different, so that there is one order only."""
    count = int(np.prod(shape))
    return np.asarray((rng_of(shape, 'order', *seed).permutation(count) - count // 2).reshape(shape) * 0.13, np.float32).round(2)


def values(shape, *seed):
    return decimals(rng_of(shape, 'order', *seed), shape, -4, 4)


def few(shape, *seed):
    """Many of them equal."""
    return rng_of(shape, 'few', *seed).integers(-3, 4, shape).astype(np.int32)


SHAPES = [((7,), -1), ((1,), 0), ((65,), 0), ((3, 7), 1), ((7, 3), 0), ((2, 5, 3), 1), ((2, 3, 4), -3), ((3, 1), 0), ((3, 1), 1), ((0, 3), 1), ((2, 0), -1), ((), 0), ((2, 33), -1)]
SPECIAL = np.array([3, np.nan, -np.inf, 0, np.inf, np.nan, -2.5], np.float32)


def cases():
    suite = Suite()
    for shape, dim in SHAPES:
        x = different(shape)
        for descending in (False, True):
            options = [{'descending': True}] if descending else []
            suite.add('sort', f'{list(shape)} along {dim} {descending}', ['$0', dim, *options], [x], lambda x: torch.sort(x, dim, descending))
            suite.add('argsort', f'{list(shape)} along {dim} {descending}', ['$0', dim, *options], [few(shape)], lambda x: torch.sort(x, dim=dim, descending=descending, stable=True)[1], grads=False)
            suite.add('sort', f'{list(shape)} along {dim} {descending} int32, stable', ['$0', dim, {'descending': descending, 'stable': True}], [few(shape)],
                      lambda x: torch.sort(x, dim=dim, descending=descending, stable=True), grads=False)
        n = shape[dim] if shape else 1
        if shape and np.prod(shape):
            suite.add('msort', f'{list(shape)} {dim}', ['$0'], [x], torch.msort)
        for k in sorted({0, 1, min(2, n), n // 2, n}):
            if k <= n and (k or shape):
                for largest in (True, False):
                    suite.add('topk', f'{k} of {list(shape)} along {dim} {largest}', ['$0', k, dim, *([] if largest else [{'largest': False}])], [x], lambda x: torch.topk(x, k, dim, largest))
            if 1 <= k <= n and np.prod(shape):
                for keep in (False, True):
                    suite.add('kthvalue', f'{k} of {list(shape)} along {dim} {keep}', ['$0', k, dim, *([{'keepDim': True}] if keep else [])], [x], lambda x: torch.kthvalue(x, k, dim, keep))
    for descending in (False, True):
        for x in (SPECIAL, np.concatenate((SPECIAL, SPECIAL))):
            suite.add('sort', f'{len(x)} with NaN and infinities {descending}', ['$0', 0, {'descending': descending}], [x], lambda x: torch.sort(x, dim=0, descending=descending, stable=True), close=False)
        suite.add('sort', f'bool {descending}', ['$0', 0, {'descending': descending}], [few((9,)) > 0], lambda x: torch.sort(x, dim=0, descending=descending, stable=True), grads=False)
    suite.add('sort', 'by default', ['$0'], [different((3, 4))], torch.sort)
    suite.add('argsort', 'by default', ['$0'], [different((3, 4))], torch.argsort)
    suite.add('topk', 'by default', ['$0', 2], [different((3, 4))], lambda x: torch.topk(x, 2))
    suite.add('kthvalue', 'by default', ['$0', 2], [different((3, 4))], lambda x: torch.kthvalue(x, 2))
    view = [['transpose', 0, 1], ['slice', 0, 0, 6, 2]]
    suite.add('sort', 'of a view', ['$0', 1], [different((4, 6))], lambda x: torch.sort(x, 1), views={0: view})
    suite.add('topk', 'of a view', ['$0', 2, 0], [different((4, 6))], lambda x: torch.topk(x, 2, 0), views={0: view})
    suite.add('topk', 'int32', ['$0', 3], [rng_of('topk').permutation(9).astype(np.int32)], lambda x: torch.topk(x, 3), grads=False)

    for n in (1, 2, 3, 7, 8, 65):
        line = np.sort(values((n,), 'line'))
        if n > 2:
            line[1] = line[2]
        queries = np.concatenate((values((3,), 'query', n), line[:3], [line[-1], -100, 100])).astype(np.float32)
        for options, arguments in (({}, {}), ({'right': True}, {'right': True}), ({'side': 'right'}, {'side': 'right'}), ({'side': 'left'}, {'side': 'left'})):
            suite.add('searchsorted', f'{n} {options}', ['$0', '$1', options], [line, queries.reshape(3, 3) if n == 7 else queries[:n + 8]], lambda s, v: torch.searchsorted(s, v, **arguments), grads=False)
        for right in (False, True):
            suite.add('bucketize', f'{n} {right}', ['$0', '$1', *([{'right': True}] if right else [])], [queries, line], lambda v, s: torch.bucketize(v, s, right=right), grads=False)
    for right in (False, True):
        lines = np.sort(few((2, 3, 5), 'lines'), -1)
        suite.add('searchsorted', f'lines {right}', ['$0', '$1', {'right': right}], [lines, few((2, 3, 4), 'wanted')], lambda s, v: torch.searchsorted(s, v, right=right), grads=False)
        suite.add('searchsorted', f'NaN {right}', ['$0', '$1', {'right': right}], [np.sort(SPECIAL), SPECIAL], lambda s, v: torch.searchsorted(s, v, right=right), grads=False)
        suite.add('searchsorted', f'a number {right}', ['$0', 1, {'right': right}], [np.sort(few((9,)))], lambda s: torch.searchsorted(s, 1, right=right), grads=False)
        suite.add('searchsorted', f'nothing {right}', ['$0', '$1', {'right': right}], [np.zeros((0,), np.float32), values((3,))], lambda s, v: torch.searchsorted(s, v, right=right), grads=False)
        suite.add('searchsorted', f'sorter {right}', ['$0', '$1', {'right': right, 'sorter': '$2'}], [few((9,)), few((5,), 'wanted'), np.argsort(few((9,)), kind='stable').astype(np.int32)],
                  lambda s, v, o: torch.searchsorted(s, v, right=right, sorter=o.long()), grads=False)
    suite.known('searchsorted', 'i32 in f32', ['$0', '$1'], [np.array([0.5, 1.5], np.float32), np.array([0, 1, 2], np.int32)], [np.array([0, 1, 2], np.int32)])
    suite.add('bucketize', 'a matrix', ['$0', '$1'], [few((3, 4)), np.array([-2, 0, 1], np.int32)], torch.bucketize, grads=False)

    for shape, test in (((7,), (3,)), ((3, 4), (2, 2)), ((0,), (3,)), ((3,), (0,)), ((65,), (7,)), ((), (3,)), ((1, 1), ())):
        for invert in (False, True):
            suite.add('isin', f'{list(shape)} in {list(test)} {invert}', ['$0', '$1', *([{'invert': True}] if invert else [])], [few(shape), few(test, 'test')], lambda x, t: torch.isin(x, t, invert=invert), grads=False)
    suite.add('isin', 'a number', ['$0', 2], [few((9,))], lambda x: torch.isin(x, 2), grads=False)
    suite.add('isin', 'f32', ['$0', '$1'], [SPECIAL, np.array([0, np.inf, 3, 5], np.float32)], torch.isin, grads=False)

    def unique(x, **options):
        return torch.unique(x, return_inverse=True, return_counts=True, **options)
    for shape in ((9,), (1,), (0,), (3, 4), (2, 3, 2), (65,), ()):
        for kind in (np.int32, np.float32, np.bool_):
            x = np.asarray(few(shape), kind)
            suite.add('unique', f'{list(shape)} {kind.__name__}', ['$0'], [x], unique, grads=False)
            suite.add('uniqueConsecutive', f'{list(shape)} {kind.__name__}', ['$0'], [np.asarray(np.sort(x.reshape(-1))[::-1].reshape(shape))], lambda x: torch.unique_consecutive(x, return_inverse=True, return_counts=True), grads=False)
            names, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
            for more in (0, 3):
                padded = lambda a, v: np.append(a, np.full(more, v)).astype(a.dtype)
                suite.known('unique', f'{list(shape)} {kind.__name__} {more} more', ['$0', {'size': len(names) + more, 'fillValue': 1}], [x],
                            [padded(names, 1), inverse.reshape(shape).astype(np.int32), padded(counts, 0).astype(np.int32)])
    for shape, dim in (((5, 2), 0), ((2, 5), 1), ((3, 2, 4), -1), ((4, 1), 0), ((1, 4), 0), ((7, 1, 1), 0)):
        x = np.asarray(few(shape) > 0, np.int32)
        suite.add('unique', f'{list(shape)} along {dim}', ['$0', {'dim': dim}], [x], lambda x: unique(x, dim=dim), grads=False)
        suite.add('uniqueConsecutive', f'{list(shape)} along {dim}', ['$0', {'dim': dim}], [x], lambda x: torch.unique_consecutive(x, return_inverse=True, return_counts=True, dim=dim), grads=False)
    suite.add('uniqueConsecutive', 'that comes again', ['$0'], [np.array([1, 1, 2, 2, 3, 1, 1], np.int32)], lambda x: torch.unique_consecutive(x, return_inverse=True, return_counts=True), grads=False)

    for n in (0, 1, 7, 65):
        x = rng_of('bincount', n).integers(0, 6, n).astype(np.int32)
        weights = values((n,), 'weights')
        for least in (0, 4, 9):
            options = {'minlength': least} if least else {}
            suite.add('bincount', f'{n} {options}', ['$0', None, options], [x], lambda x: torch.bincount(x.long(), minlength=least), grads=False)
            suite.add('bincount', f'{n} weighted {options}', ['$0', '$1', options], [x, weights], lambda x, w: torch.bincount(x.long(), w, least) * 1.0, grads=False)
        suite.known('bincount', f'{n} into 4', ['$0', None, {'size': 4}], [x], [np.bincount(x, minlength=4)[:4].astype(np.int32)])
    for shape in ((7,), (3, 4), (65,), (1,)):
        x = values(shape, 'histogram')
        for bins, low, high in ((5, -4, 4), (10, -1.3, 2.6), (1, -4, 4), (7, 0, 0), (3, 2.5, 2.5)):
            options = {'bins': bins, 'min': low, 'max': high}
            suite.add('histc', f'{list(shape)} {options}', ['$0', options], [x], lambda x: torch.histc(x, bins, low, high), grads=False)
        for bins, low, high in ((5, -4, 4), (3, -1.3, 2.6), (7, None, None)):
            options = {} if low is None else {'range': [low, high]}
            arguments = {} if low is None else {'range': (low, high)}
            suite.add('histogram', f'{list(shape)} {bins} {options}', ['$0', bins, options], [x], lambda x: torch.histogram(x, bins, **arguments), grads=False)
            suite.add('histogram', f'{list(shape)} {bins} {options} density', ['$0', bins, {**options, 'density': True}], [x], lambda x: torch.histogram(x, bins, density=True, **arguments), grads=False)
            suite.add('histogram', f'{list(shape)} {bins} {options} weighted', ['$0', bins, {**options, 'weight': '$1'}], [x, values(shape, 'weight')], lambda x, w: torch.histogram(x, bins, weight=w, **arguments), grads=False)
        edges = np.array([-3, -1.5, 0, 0.5, 3], np.float32)
        suite.add('histogram', f'{list(shape)} by edges', ['$0', '$1'], [x, edges], lambda x, e: torch.histogram(x, e), grads=False)
        suite.add('histogram', f'{list(shape)} by edges density weighted', ['$0', '$1', {'density': True, 'weight': '$2'}], [x, edges, np.abs(values(shape, 'weight'))], lambda x, e, w: torch.histogram(x, e, weight=w, density=True), grads=False)
    suite.add('histogram', 'on the edges', ['$0', '$1'], [np.array([0, 1, 1, 2, 3, 3, -1, 4], np.float32), np.array([0, 1, 2, 3], np.float32)], lambda x, e: torch.histogram(x, e), grads=False)
    suite.add('histc', 'by default', ['$0'], [values((65,), 'h')], torch.histc, grads=False)
    suite.add('histc', 'on the edges', ['$0', {'bins': 4, 'min': 0, 'max': 4}], [np.array([0, 1, 1, 2, 3, 4, 4, -1, 5, 0.5], np.float32)], lambda x: torch.histc(x, 4, 0, 4), grads=False)
    return suite.cases
