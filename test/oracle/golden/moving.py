"""Movement, joining, indexing."""
import numpy as np
import torch

from .suite import Suite, decimals, rng_of


def values(shape):
    return decimals(rng_of(shape, 'move'), shape, -4, 4)


def index(*numbers):
    return np.array(numbers, np.int32)


def torch_slice(dim, start, end, step):
    def fn(x):
        if step > 0:
            return x[(slice(None),) * dim + (slice(start, end, step),)]
        places = list(range(x.shape[dim]))[slice(start, end, step)]
        return x.index_select(dim, torch.tensor(places, dtype=torch.long))
    return fn


UNARY = [
    ('reshape', (2, 6), [[3, 4]], lambda x: x.reshape(3, 4)),
    ('reshape', (2, 3, 4), [[-1, 2]], lambda x: x.reshape(-1, 2)),
    ('reshape', (1,), [[]], lambda x: x.reshape(())),
    ('reshape', (0, 3), [[3, 0]], lambda x: x.reshape(3, 0)),
    ('flatten', (2, 3, 4), [], lambda x: x.flatten()),
    ('flatten', (2, 3, 4), [1], lambda x: x.flatten(1)),
    ('unflatten', (2, 12), [1, [3, -1]], lambda x: x.unflatten(1, (3, 4))),
    ('squeeze', (1, 3, 1), [], lambda x: x.squeeze()),
    ('squeeze', (1, 3, 1), [-1], lambda x: x.squeeze(-1)),
    ('unsqueeze', (3, 2), [1], lambda x: x.unsqueeze(1)),
    ('unsqueeze', (3, 2), [-1], lambda x: x.unsqueeze(-1)),
    ('permute', (2, 3, 4), [[2, 0, 1]], lambda x: x.permute(2, 0, 1)),
    ('permute', (2, 1, 3, 2), [[3, -3, 0, 2]], lambda x: x.permute(3, 1, 0, 2)),
    ('transpose', (7, 65), [0, 1], lambda x: x.transpose(0, 1)),
    ('transpose', (2, 3, 4), [-1, 0], lambda x: x.transpose(-1, 0)),
    ('t', (3, 2), [], lambda x: x.t()),
    ('expand', (3, 1), [[3, 5]], lambda x: x.expand(3, 5)),
    ('expand', (3, 1), [[2, -1, 4]], lambda x: x.expand(2, 3, 4)),
    ('expand', (), [[2, 2]], lambda x: x.expand(2, 2)),
    ('broadcastTo', (1, 4), [[3, 2, 4]], lambda x: x.expand(3, 2, 4)),
    ('repeat', (2, 3), [[2, 1, 2]], lambda x: x.repeat(2, 1, 2)),
    ('tile', (2, 3), [[2]], lambda x: x.tile(2)),
    ('repeatInterleave', (2, 3), [3, 1], lambda x: x.repeat_interleave(3, 1)),
    ('flip', (3, 4), [0], lambda x: x.flip(0)),
    ('flip', (3, 4), [[0, 1]], lambda x: x.flip(0, 1)),
    ('flip', (3, 4), [], lambda x: x.flip(0, 1)),
    ('flip', (0, 4), [0], lambda x: x.flip(0)),
    ('roll', (3, 4), [1, 1], lambda x: x.roll(1, 1)),
    ('roll', (3, 4), [-5], lambda x: x.roll(-5)),
    ('roll', (3, 4), [[1, -1], [0, 1]], lambda x: x.roll((1, -1), (0, 1))),
    ('slice', (7, 3), [0, 1, 6, 2], torch_slice(0, 1, 6, 2)),
    ('slice', (3, 7), [1, -4, -1], torch_slice(1, -4, -1, 1)),
    ('slice', (3, 7), [1, None, None, 3], torch_slice(1, None, None, 3)),
    ('slice', (3, 7), [1, None, None, -1], torch_slice(1, None, None, -1)),
    ('slice', (3, 7), [1, 5, 1, -2], torch_slice(1, 5, 1, -2)),
    ('slice', (3, 7), [0, 2, 2], torch_slice(0, 2, 2, 1)),
    ('slice', (3, 7), [1, 2, 100], torch_slice(1, 2, 100, 1)),
    ('narrow', (3, 7), [1, 2, 3], lambda x: x.narrow(1, 2, 3)),
    ('select', (3, 7), [1, -2], lambda x: x.select(1, -2)),
    ('at', (3, 4, 5), [1], lambda x: x[1]),
    ('at', (3, 4, 5), ['...', -1], lambda x: x[..., -1]),
    ('at', (3, 4, 5), [[1, None], None, [None, None, 2], 3], lambda x: x[1:, None, ::2, 3]),
    ('pad', (2, 3), [[1, 2]], lambda x: torch.nn.functional.pad(x, (1, 2))),
    ('pad', (2, 3), [[0, 1, 2, 0], {'value': -1.5}], lambda x: torch.nn.functional.pad(x, (0, 1, 2, 0), value=-1.5)),
    ('pad', (4, 5), [[-1, 2, 1, -2]], lambda x: torch.nn.functional.pad(x, (-1, 2, 1, -2))),
    ('pad', (0, 2), [[1, 0, 2, 1]], lambda x: torch.nn.functional.pad(x, (1, 0, 2, 1))),
    ('pad', (3,), [[1, 1], {'value': float('-inf')}], lambda x: torch.nn.functional.pad(x, (1, 1), value=float('-inf'))),
    ('tril', (4, 5), [], lambda x: x.tril()),
    ('tril', (2, 4, 3), [-1], lambda x: x.tril(-1)),
    ('triu', (4, 5), [1], lambda x: x.triu(1)),
    ('triu', (3, 3), [-5], lambda x: x.triu(-5)),
    ('split', (7, 2), [3], lambda x: x.split(3)),
    ('split', (2, 7), [[1, 0, 6], 1], lambda x: x.split([1, 0, 6], 1)),
    ('chunk', (7, 2), [3], lambda x: x.chunk(3)),
    ('unbind', (2, 3), [1], lambda x: x.unbind(1)),
]

# Views of views, then one operation that must read through all of them.
CHAINS = [
    [['transpose', 0, 1], ['slice', 0, 1, 7, 2], ['flip', [1]], ['reshape', [9]]],
    [['slice', 0, 1, 3, 1], ['reshape', [7, 2]], ['transpose', 0, 1]],
    [['unsqueeze', 1], ['expand', [3, 2, 7]], ['permute', [2, 0, 1]], ['reshape', [14, 3]]],
    [['slice', 1, 0, 7, 3], ['flip', [0, 1]], ['slice', 0, 1, 3, 1], ['reshape', [6]], ['slice', 0, 1, 6, 2]],
    [['reshape', [7, 3]], ['slice', 0, 2, 2, 1]],
]


def cases():
    suite = Suite()
    for op, shape, args, fn in UNARY:
        suite.add(op, f'{list(shape)} with {args}', ['$0', *args], [values(shape)], fn)
    for i, chain in enumerate(CHAINS):
        suite.add('mul', f'of a chain of views {i}', ['$0', 3], [values((3, 7))], lambda x: x * 3, views={0: chain})
    for op in ('reshape', 'permute', 'flip', 'slice', 'pad'):
        args = {'reshape': [[6]], 'permute': [[1, 0]], 'flip': [0], 'slice': [1, 1, 3], 'pad': [[1, 1]]}[op]
        fn = {'reshape': lambda x: x.reshape(6), 'permute': lambda x: x.permute(1, 0), 'flip': lambda x: x.flip(0),
              'slice': lambda x: x[:, 1:3], 'pad': lambda x: torch.nn.functional.pad(x, (1, 1))}[op]
        for x in (np.arange(6, dtype=np.int32).reshape(2, 3) - 3, rng_of(op).uniform(size=(2, 3)) < 0.5):
            if x.dtype == np.bool_ and op == 'pad':
                continue
            suite.add(op, str(x.dtype), ['$0', *args], [x], fn, grads=False)

    a, b, c = values((2, 3)), values((2, 1)), values((2, 0))
    suite.add('concat', 'three along 1', [['$0', '$1', '$2'], 1], [a, b, c], lambda *x: torch.cat(x, 1))
    suite.add('concat', 'along 0', [['$0', '$1']], [values((1, 3)), values((4, 3))], lambda *x: torch.cat(x))
    suite.add('concat', 'one twice', [['$0', '$0'], -1], [a], lambda x: torch.cat((x, x), -1))
    suite.add('concat', 'of views', [['$0', '$1'], 0], [values((3, 2)), values((4, 6))], lambda *x: torch.cat(x),
              views={0: [['transpose', 0, 1]], 1: [['slice', 1, 0, 6, 2], ['flip', [0]]]})
    suite.known('concat', 'i32 and f32 give f32', [['$0', '$1']], [index(1, -2), values((2,))],
                [np.concatenate([np.array([1, -2], np.float32), values((2,))])])
    suite.add('stack', 'along 0', [['$0', '$1']], [a, values((2, 3)) * 2], lambda *x: torch.stack(x))
    suite.add('stack', 'along -1', [['$0', '$1', '$0'], -1], [a, values((2, 3)) * 2], lambda x, y: torch.stack((x, y, x), -1))

    table = values((5, 4))
    pick = lambda fn: lambda *t: fn(*[x.long() if not x.is_floating_point() else x for x in t])
    suite.add('gather', '[5, 4] along 0', ['$0', 0, '$1'], [table, np.array([[4, 0, 2, 2], [1, 1, 1, 3]], np.int32)],
              pick(lambda x, i: x.gather(0, i)))
    suite.add('gather', '[5, 4] along 1', ['$0', 1, '$1'], [table, np.array([[3, 3], [0, 1], [2, 2]], np.int32)],
              pick(lambda x, i: x.gather(1, i)))
    suite.add('gather', '[2, 3, 4] along 1', ['$0', 1, '$1'],
              [values((2, 3, 4)), rng_of('gather').integers(0, 3, (2, 5, 4)).astype(np.int32)], pick(lambda x, i: x.gather(1, i)))
    suite.add('gather', 'no positions', ['$0', 0, '$1'], [table, np.zeros((0, 4), np.int32)], pick(lambda x, i: x.gather(0, i)))
    suite.known('gather', 'out of range', ['$0', 0, '$1'], [values((3,)), index(2, 3, -1, 0, 2**31 - 1, -2**31)],
                [np.array([values((3,))[2], np.nan, np.nan, values((3,))[0], np.nan, np.nan], np.float32)])
    suite.known('gather', 'out of range of i32', ['$0', 0, '$1'], [index(5, 6, 7), index(2, 3, -1)], [index(7, 0, 0)])
    suite.known('gather', 'out of range of bool', ['$0', 0, '$1'], [np.array([True, True]), index(1, 2)], [np.array([True, False])])
    suite.add('gather', 'of a view', ['$0', 1, '$1'], [values((4, 5)), np.array([[3, 0], [1, 1]], np.int32)],
              pick(lambda x, i: x.gather(1, i)), views={0: [['transpose', 0, 1], ['slice', 0, 0, 5, 3]]})
    suite.add('indexSelect', 'rows', ['$0', 0, '$1'], [table, index(4, 0, 0, 2)], pick(lambda x, i: x.index_select(0, i)))
    suite.add('indexSelect', 'columns', ['$0', -1, '$1'], [table, index(1, 1, 3)], pick(lambda x, i: x.index_select(1, i)))
    suite.add('indexSelect', 'none', ['$0', 0, '$1'], [table, np.zeros((0,), np.int32)], pick(lambda x, i: x.index_select(0, i)))
    suite.add('embedding', '[2, 3] of [5, 4]', ['$0', '$1'], [np.array([[0, 4, 4], [2, 1, 0]], np.int32), table],
              pick(lambda i, w: torch.nn.functional.embedding(i, w)))
    suite.add('oneHot', '5 classes', ['$0', 5], [np.array([[0, 4], [2, 2]], np.int32)],
              pick(lambda i: torch.nn.functional.one_hot(i, 5)), grads=False)
    return suite.cases
