"""Matrix products, convolutions, pooling."""
import numpy as np
import torch
import torch.nn.functional as F

from .suite import Suite, decimals, rng_of

PRODUCTS = [
    ((3,), (3,)), ((1,), (1,)), ((65,), (65,)),
    ((2, 3), (3,)), ((3,), (3, 4)), ((7, 65), (65,)),
    ((2, 3), (3, 4)), ((1, 1), (1, 1)), ((1, 65), (65, 1)), ((65, 1), (1, 7)), ((17, 33), (33, 18)), ((7, 65), (65, 7)),
    ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)),
    ((2, 1, 4, 3), (1, 5, 3, 2)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,)),
    ((0, 3), (3, 4)), ((2, 0), (0, 3)), ((2, 3), (3, 0)), ((0, 2, 3), (0, 3, 4)), ((0,), (0,)),
]

# input, weight, options
CONV2D = [
    ((1, 1, 5, 5), (1, 1, 3, 3), {}),
    ((2, 3, 7, 6), (4, 3, 3, 3), {'padding': 1}),
    ((1, 2, 7, 7), (3, 2, 3, 3), {'stride': 2}),
    ((1, 2, 8, 7), (3, 2, 3, 2), {'stride': [2, 1], 'padding': [1, 0]}),
    ((1, 2, 9, 9), (2, 2, 3, 3), {'dilation': 2, 'padding': 2}),
    ((2, 4, 5, 5), (4, 2, 3, 3), {'groups': 2, 'padding': 1}),
    ((1, 4, 5, 6), (8, 1, 3, 3), {'groups': 4, 'stride': 2, 'padding': 1}),
    ((1, 3, 4, 4), (2, 3, 1, 1), {}),
    ((1, 3, 4, 4), (2, 3, 1, 1), {'stride': 3}),
    ((1, 1, 3, 3), (1, 1, 3, 3), {}),
    ((2, 6, 8, 8), (9, 2, 3, 2), {'groups': 3, 'stride': [1, 2], 'padding': [2, 1], 'dilation': [2, 1]}),
    ((3, 5, 5), (2, 3, 3, 3), {'padding': 1}),
    ((1, 2, 5, 5), (2, 2, 3, 3), {'padding': 'same'}),
    ((0, 2, 5, 5), (2, 2, 3, 3), {}),
]
CONV1D = [
    ((2, 3, 9), (4, 3, 3), {}),
    ((1, 2, 10), (4, 1, 4), {'stride': 3, 'padding': 2, 'groups': 2}),
    ((2, 7), (3, 2, 2), {'dilation': 3}),
]
CONV3D = [((1, 2, 4, 5, 4), (3, 2, 2, 3, 2), {'stride': [1, 2, 1], 'padding': [1, 0, 1]})]

POOL = [
    ((1, 2, 6, 6), 2, {}),
    ((2, 3, 7, 5), 3, {'stride': 2}),
    ((1, 1, 7, 7), 3, {'stride': 2, 'padding': 1}),
    ((2, 6, 8), [2, 3], {'stride': [2, 1]}),
]


def values(shape, *seed):
    return decimals(rng_of(shape, *seed), shape, -2, 2)


def different(shape, *seed):
    """All different, so that the gradient of a maximum has one place to go."""
    count = int(np.prod(shape))
    return np.asarray((rng_of(shape, *seed).permutation(count) - count // 2).reshape(shape) * 0.13, np.float32).round(2)


def torch_options(options):
    return {key: value if isinstance(value, (int, str)) else tuple(value) for key, value in options.items()}


def cases():
    suite = Suite()
    for a, b in PRODUCTS:
        suite.add('matmul', f'{list(a)} {list(b)}', ['$0', '$1'], [values(a, 'a'), values(b, 'b')], torch.matmul)
    left, right = [['transpose', 0, 1]], [['transpose', 0, 1]]
    suite.add('matmul', 'transposed left', ['$0', '$1'], [values((5, 3), 'a'), values((5, 4), 'b')], torch.matmul, views={0: left})
    suite.add('matmul', 'transposed right', ['$0', '$1'], [values((3, 5), 'a'), values((4, 5), 'b')], torch.matmul, views={1: right})
    suite.add('matmul', 'both transposed', ['$0', '$1'], [values((5, 3), 'a'), values((4, 5), 'b')], torch.matmul, views={0: left, 1: right})
    suite.add('matmul', 'of views of views', ['$0', '$1'], [values((7, 6), 'a'), values((2, 8, 5), 'b')], torch.matmul,
              views={0: [['transpose', 0, 1], ['slice', 0, 1, 6, 2], ['slice', 1, 0, 4, 1]],
                     1: [['slice', 1, 0, 8, 2], ['transpose', 1, 2], ['flip', [1]], ['permute', [0, 2, 1]]]})
    suite.add('matmul', 'by itself', ['$0', '$0'], [values((4, 4))], lambda x: x @ x)
    suite.add('dot', '[65]', ['$0', '$1'], [values((65,), 'a'), values((65,), 'b')], torch.dot)
    suite.add('outer', '[3] [7]', ['$0', '$1'], [values((3,)), values((7,))], torch.outer)
    suite.add('linear', 'with bias', ['$0', '$1', '$2'], [values((2, 3, 5)), values((4, 5)), values((4,))], F.linear)
    suite.add('linear', 'without bias', ['$0', '$1'], [values((3, 5)), values((4, 5))], F.linear)

    for op, fn, table in (('conv1d', F.conv1d, CONV1D), ('conv2d', F.conv2d, CONV2D), ('conv3d', F.conv3d, CONV3D)):
        for x, w, options in table:
            call = lambda x, w, b=None: fn(x, w, b, **torch_options(options))
            label = f'{list(x)} {list(w)} {options}'
            inputs = [values(x, 'x'), values(w, 'w')]
            suite.add(op, label, ['$0', '$1', None, options], inputs, call)
            suite.add(op, label + ' with bias', ['$0', '$1', '$2', options], [*inputs, values((w[0],))], call)
    suite.add('conv2d', 'of views', ['$0', '$1', None, {'padding': 1}], [values((5, 6, 2, 1)), values((3, 3, 2, 4))],
              lambda x, w: F.conv2d(x, w, padding=1),
              views={0: [['permute', [3, 2, 0, 1]], ['slice', 3, 0, 6, 2]], 1: [['permute', [3, 2, 0, 1]], ['flip', [2]]]})

    for shape, size, options in POOL:
        arguments = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
        kernel = tuple(size) if isinstance(size, list) else size
        suite.add('maxPool2d', f'{list(shape)} {size} {options}', ['$0', size, options], [different(shape)],
                  lambda x: F.max_pool2d(x, kernel, **arguments))
        suite.add('avgPool2d', f'{list(shape)} {size} {options}', ['$0', size, options], [values(shape)],
                  lambda x: F.avg_pool2d(x, kernel, **arguments))
    suite.add('maxPool2d', 'dilated', ['$0', 2, {'stride': 1, 'dilation': 2}], [different((1, 2, 5, 6))], lambda x: F.max_pool2d(x, 2, 1, 0, 2))
    suite.add('avgPool2d', 'padding not counted', ['$0', 3, {'stride': 2, 'padding': 1, 'countIncludePad': False}], [values((1, 2, 7, 7))],
              lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False))
    suite.add('maxPool2d', 'negative everywhere, padded', ['$0', 3, {'padding': 1}], [different((1, 1, 4, 4)) - 9],
              lambda x: F.max_pool2d(x, 3, padding=1))
    return suite.cases
