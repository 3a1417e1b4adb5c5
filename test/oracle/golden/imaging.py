"""Images: transposed convolution, pooling of all kinds."""
import numpy as np
import torch
import torch.nn.functional as F

from .suite import Suite, decimals, rng_of


def values(shape, *seed):
    return decimals(rng_of(shape, 'image', *seed), shape, -2, 2, 1)


def different(shape, *seed):
    """All different, so that the gradient of a maximum has one place to go."""
    count = int(np.prod(shape))
    return np.asarray((rng_of(shape, *seed).permutation(count) - count // 2).reshape(shape) * 0.13, np.float32).round(2)


def ties(shape, *seed):
    """Many equal numbers: the first largest one has the gradient."""
    return rng_of(shape, 'ties', *seed).integers(-1, 2, shape).astype(np.float32)


NAMES = {'outputPadding': 'output_padding', 'ceilMode': 'ceil_mode', 'countIncludePad': 'count_include_pad', 'divisorOverride': 'divisor_override', 'alignCorners': 'align_corners',
         'scaleFactor': 'scale_factor', 'recomputeScaleFactor': 'recompute_scale_factor', 'paddingMode': 'padding_mode', 'outputSize': 'output_size', 'returnIndices': 'return_indices'}


def of_torch(options):
    return {NAMES.get(key, key): tuple(value) if isinstance(value, list) else value for key, value in options.items()}


def maybe(options):
    return [options] if options else []


TRANSPOSED = [
    # spatial axes, input, weight, options
    (1, (2, 3, 5), (3, 2, 3), {}), (1, (2, 3, 5), (3, 2, 3), {'stride': 2}), (1, (1, 2, 4), (2, 1, 4), {'stride': 3, 'padding': 1, 'outputPadding': 2}), (1, (1, 4, 5), (4, 2, 3), {'groups': 2, 'dilation': 2}),
    (1, (2, 5), (2, 3, 2), {'padding': 1}), (1, (1, 1, 1), (1, 1, 1), {}), (1, (0, 2, 3), (2, 2, 2), {}), (1, (1, 2, 7), (2, 2, 1), {'stride': 2}), (1, (1, 3, 4), (3, 1, 3), {'groups': 3, 'stride': 2, 'padding': 2}),
    (1, (1, 2, 3), (2, 2, 2), {'dilation': 3, 'outputPadding': 2}), (1, (1, 2, 65), (2, 1, 3), {'stride': 2, 'padding': 1}),
    (2, (1, 1, 3, 3), (1, 1, 3, 3), {}), (2, (2, 3, 4, 3), (3, 2, 3, 2), {'stride': 2, 'padding': 1}), (2, (1, 2, 3, 4), (2, 2, 3, 3), {'stride': [2, 3], 'padding': [1, 0], 'outputPadding': [1, 2]}),
    (2, (1, 4, 3, 3), (4, 2, 2, 2), {'groups': 2, 'stride': 2}), (2, (1, 4, 3, 4), (4, 1, 3, 3), {'groups': 4, 'padding': 1}), (2, (1, 2, 3, 3), (2, 3, 2, 2), {'dilation': [2, 1], 'padding': 1}),
    (2, (3, 4, 4), (3, 2, 3, 3), {'padding': 2}), (2, (1, 2, 3, 3), (2, 4, 4, 4), {'stride': 2, 'padding': 1}), (2, (1, 6, 2, 3), (6, 2, 3, 2), {'groups': 3, 'stride': [1, 2], 'dilation': [2, 1], 'outputPadding': [1, 1]}),
    (2, (0, 2, 3, 3), (2, 2, 2, 2), {}), (2, (1, 2, 3, 3), (2, 2, 1, 1), {'stride': 2, 'outputPadding': 1}),
    (3, (1, 2, 2, 3, 2), (2, 2, 2, 2, 3), {}), (3, (1, 2, 2, 2, 3), (2, 1, 3, 2, 2), {'stride': [2, 1, 2], 'padding': [1, 0, 1], 'outputPadding': [1, 0, 1]}), (3, (1, 2, 2, 2, 2), (2, 1, 2, 2, 2), {'groups': 2, 'dilation': [1, 2, 1]}),
    (3, (2, 2, 2, 2), (2, 1, 2, 1, 2), {'stride': 2}),
]
CONVOLUTIONS = [
    (1, (2, 4, 9), (4, 1, 3), {'groups': 4, 'padding': 'same'}), (1, (1, 1, 1), (1, 1, 1), {}), (1, (1, 3, 65), (2, 3, 7), {'stride': 5, 'padding': 3}), (1, (3, 7), (2, 3, 3), {'dilation': 2, 'padding': 'same'}),
    (2, (1, 3, 5, 5), (6, 1, 3, 3), {'groups': 3, 'padding': 1}), (2, (2, 2, 7, 7), (2, 1, 3, 3), {'groups': 2, 'stride': 2, 'dilation': 2, 'padding': 2}), (2, (1, 2, 3, 3), (3, 2, 2, 2), {'padding': 'valid'}),
    (3, (1, 4, 3, 3, 3), (4, 2, 2, 2, 2), {'groups': 2, 'padding': 1}), (3, (1, 2, 3, 3, 3), (2, 1, 3, 3, 3), {'groups': 2, 'dilation': [1, 1, 1], 'padding': 'same'}), (3, (2, 3, 3, 4), (1, 2, 2, 2, 3), {'stride': 2}),
    (3, (1, 1, 5, 4, 3), (2, 1, 2, 2, 2), {'dilation': [2, 1, 2]}),
]
POOLS = {
    1: [((2, 3, 7), 2, {}), ((2, 7), 3, {'stride': 2}), ((1, 2, 8), 3, {'stride': 2, 'padding': 1}), ((1, 1, 7), 3, {'stride': 2, 'ceilMode': True}), ((1, 2, 8), 3, {'stride': 3, 'padding': 1, 'ceilMode': True}),
        ((1, 1, 2), 3, {'stride': 2, 'ceilMode': True}), ((1, 1, 1), 1, {}), ((0, 2, 5), 2, {}), ((1, 1, 65), 7, {'stride': 5, 'padding': 3}), ((1, 1, 5), 2, {'stride': 3, 'padding': 1, 'ceilMode': True}), ((3, 6), 1, {'stride': 2})],
    2: [((1, 2, 6, 6), 2, {}), ((2, 1, 7, 5), 3, {'stride': 2, 'padding': 1}), ((2, 6, 8), [2, 3], {'stride': [2, 1]}), ((1, 1, 7, 6), 3, {'stride': 2, 'ceilMode': True}), ((1, 2, 5, 5), [3, 2], {'stride': 2, 'padding': [1, 0], 'ceilMode': True}),
        ((1, 1, 4, 4), 3, {'stride': 1, 'padding': 1}), ((1, 1, 3, 3), 3, {}), ((0, 1, 4, 4), 2, {}), ((1, 1, 1, 7), [1, 2], {})],
    3: [((1, 2, 4, 4, 4), 2, {}), ((1, 1, 5, 4, 3), [2, 3, 2], {'stride': [2, 1, 1], 'padding': [1, 1, 0]}), ((2, 3, 4, 5), 2, {'stride': 2, 'ceilMode': True}), ((1, 1, 3, 3, 3), 3, {'padding': 1, 'stride': 2})],
}
DILATED = {1: [((1, 2, 9), 3, {'dilation': 2, 'stride': 1}), ((1, 1, 9), 2, {'dilation': 3, 'padding': 1})], 2: [((1, 2, 7, 6), 2, {'dilation': [2, 3], 'stride': 1}), ((1, 1, 7, 7), 3, {'dilation': 2, 'padding': 1, 'stride': 2, 'ceilMode': True})],
           3: [((1, 1, 4, 5, 4), 2, {'dilation': [1, 2, 2], 'stride': 1})]}
ADAPTIVE = {
    1: [((1, 2, 8), 4), ((2, 7), 3), ((1, 1, 5), 5), ((1, 1, 3), 7), ((1, 2, 65), 1), ((1, 1, 7), 2), ((0, 2, 4), 3), ((1, 1, 1), 3)],
    2: [((1, 2, 6, 8), [3, 2]), ((1, 2, 7, 5), [3, 2]), ((2, 6, 7), 3), ((1, 1, 4, 4), 1), ((1, 2, 5, 3), [None, 2]), ((1, 1, 3, 7), [2, None]), ((1, 1, 2, 3), [4, 5])],
    3: [((1, 2, 4, 4, 4), 2), ((1, 1, 5, 4, 3), [2, 3, 2]), ((1, 3, 4, 5), [2, None, 1]), ((1, 2, 3, 3, 3), 1)],
}


def lp_pool3d(x, p, kernel, **options):
    """As PyTorch has defined it since 2.2; 1.13 has none."""
    count = kernel ** 3 if isinstance(kernel, int) else int(np.prod(kernel))
    return (F.avg_pool3d(x ** p, kernel, **options) * count) ** (1 / p)


def cases():
    suite = Suite()
    for n, x, w, options in TRANSPOSED:
        fn = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[n - 1]
        call = lambda x, w, b=None: fn(x, w, b, **of_torch(options))
        label = f'{list(x)} {list(w)} {options}'
        suite.add(f'convTranspose{n}d', label, ['$0', '$1', None, *maybe(options)], [values(x, 'x'), values(w, 'w')], call)
        suite.add(f'convTranspose{n}d', label + ' with bias', ['$0', '$1', '$2', *maybe(options)], [values(x, 'x'), values(w, 'w'), values((w[1] * options.get('groups', 1),))], call)
    for n, x, w, options in CONVOLUTIONS:
        fn = (F.conv1d, F.conv2d, F.conv3d)[n - 1]
        call = lambda x, w, b=None: fn(x, w, b, **of_torch(options))
        label = f'more {list(x)} {list(w)} {options}'
        suite.add(f'conv{n}d', label, ['$0', '$1', None, *maybe(options)], [values(x, 'x'), values(w, 'w')], call)
        suite.add(f'conv{n}d', label + ' with bias', ['$0', '$1', '$2', *maybe(options)], [values(x, 'x'), values(w, 'w'), values((w[0],))], call)
    suite.add('convTranspose2d', 'of views', ['$0', '$1'], [values((3, 4, 2, 1)), values((3, 3, 2, 2))], F.conv_transpose2d,
              views={0: [['permute', [3, 2, 0, 1]]], 1: [['permute', [2, 3, 0, 1]], ['flip', [2]]]})

    for n in (1, 2, 3):
        most, mean = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[n - 1], (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[n - 1]
        for shape, size, options in [*POOLS[n], *DILATED[n]]:
            kernel = tuple(size) if isinstance(size, list) else size
            label = f'{list(shape)} {size} {options}'
            for kind, x in (('', different(shape)), (' with ties', ties(shape))):
                suite.add(f'maxPool{n}d', 'again ' + label + kind, ['$0', size, *maybe(options)], [x], lambda x: most(x, kernel, **of_torch(options)))
                suite.add(f'maxPool{n}d', 'with indices ' + label + kind, ['$0', size, {**options, 'returnIndices': True}], [x], lambda x: most(x, kernel, **of_torch(options), return_indices=True))
        for shape, size, options in POOLS[n]:
            kernel = tuple(size) if isinstance(size, list) else size
            for more in ({}, {'countIncludePad': False}, {'divisorOverride': 3}):
                if n == 1 and 'divisorOverride' in more:
                    continue
                every = {**options, **more}
                suite.add(f'avgPool{n}d', f'again {list(shape)} {size} {every}', ['$0', size, *maybe(every)], [values(shape)], lambda x: mean(x, kernel, **of_torch(every)))
            if 'padding' not in options:
                lp = (F.lp_pool1d, F.lp_pool2d, lp_pool3d)[n - 1]
                for p in (1, 2, 3, 1.5):
                    positive = decimals(rng_of(shape, 'lp'), shape, 0.2, 2, 1)
                    suite.add(f'lpPool{n}d', f'{list(shape)} {p} {size} {options}', ['$0', p, size, *maybe(options)], [positive], lambda x: lp(x, p, kernel, **of_torch(options)))
        for shape, size in ADAPTIVE[n]:
            output = tuple(size) if isinstance(size, list) else size
            label = f'{list(shape)} to {size}'
            suite.add(f'adaptiveAvgPool{n}d', label, ['$0', size], [values(shape)], lambda x: (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)[n - 1](x, output))
            largest = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)[n - 1]
            for kind, x in (('', different(shape)), (' with ties', ties(shape))):
                suite.add(f'adaptiveMaxPool{n}d', label + kind, ['$0', size], [x], lambda x: largest(x, output))
                suite.add(f'adaptiveMaxPool{n}d', 'with indices ' + label + kind, ['$0', size, {'returnIndices': True}], [x], lambda x: largest(x, output, return_indices=True))
        unpool = (F.max_unpool1d, F.max_unpool2d, F.max_unpool3d)[n - 1]
        for shape, size, options, output in [
                {1: ((1, 2, 6), 2, {}, None), 2: ((1, 2, 4, 6), 2, {}, None), 3: ((1, 1, 4, 2, 4), 2, {}, None)}[n],
                {1: ((1, 1, 7), 2, {}, [7]), 2: ((1, 1, 5, 4), 2, {}, [5, 4]), 3: ((1, 1, 3, 4, 5), 2, {}, [3, 4, 5])}[n],
                {1: ((2, 8), 3, {'stride': 3, 'padding': 1}, [8]), 2: ((2, 4, 8), [2, 3], {'stride': [2, 3], 'padding': [0, 1]}, [4, 8]), 3: ((1, 2, 2, 4), [1, 2, 2], {}, None)}[n]]:
            x = torch.from_numpy(different(shape))
            kernel = tuple(size) if isinstance(size, list) else size
            pooled, where = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[n - 1](x, kernel, **of_torch(options), return_indices=True)
            every = {**options, **({'outputSize': output} if output else {})}
            suite.add(f'maxUnpool{n}d', f'{list(shape)} {size} {every}', ['$0', '$1', size, *maybe(every)], [pooled.numpy(), where.numpy().astype(np.int32)],
                      lambda x, i: unpool(x, i.long(), kernel, **of_torch(every)))
    suite.add('maxPool2d', 'where all is -Infinity', ['$0', 2, {'padding': 1, 'returnIndices': True}], [np.full((1, 1, 3, 3), -np.inf, np.float32)], lambda x: F.max_pool2d(x, 2, padding=1, return_indices=True), grads=False)
    suite.add('maxPool2d', 'of infinities', ['$0', 2], [np.array([[[[1, np.inf], [-np.inf, 2]]]], np.float32)], lambda x: F.max_pool2d(x, 2), grads=False)
    suite.add('adaptiveAvgPool1d', 'an infinity stays in its part', ['$0', 3], [np.array([[[1, np.inf, 2, 3, 4]]], np.float32)], lambda x: F.adaptive_avg_pool1d(x, 3), grads=False)
    suite.add('maxPool2d', 'of a view, with indices', ['$0', 2, {'returnIndices': True}], [different((4, 6, 2))], lambda x: F.max_pool2d(x, 2, return_indices=True), views={0: [['permute', [2, 1, 0]]]})
    return suite.cases
