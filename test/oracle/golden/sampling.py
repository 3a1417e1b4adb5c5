"""Images: resizing, sampling, shuffling, patches."""
import itertools

import numpy as np
import torch
import torch.nn.functional as F

from .imaging import maybe, of_torch, values
from .suite import Suite, decimals, rng_of

SIZES = {
    1: [((1, 2, 5), {'size': 8}), ((2, 1, 7), {'size': 3}), ((1, 1, 4), {'scaleFactor': 2}), ((1, 1, 6), {'scaleFactor': 0.5}), ((1, 1, 5), {'scaleFactor': 1.5}), ((1, 1, 1), {'size': 4}), ((1, 1, 5), {'size': 1}), ((1, 2, 5), {'size': 5}),
        ((1, 1, 7), {'scaleFactor': 1.7, 'recomputeScaleFactor': True}), ((1, 1, 65), {'size': 7}), ((1, 1, 3), {'scaleFactor': 3})],
    2: [((1, 2, 3, 4), {'size': [5, 7]}), ((1, 1, 5, 4), {'size': 3}), ((1, 1, 3, 2), {'scaleFactor': 2}), ((1, 1, 4, 6), {'scaleFactor': [1.5, 0.5]}), ((2, 1, 1, 3), {'size': [2, 1]}), ((1, 1, 4, 5), {'scaleFactor': 2.3}), ((1, 1, 4, 5), {'scaleFactor': 2.3, 'recomputeScaleFactor': True})],
    3: [((1, 1, 2, 3, 2), {'size': [3, 4, 5]}), ((1, 2, 2, 2, 3), {'scaleFactor': 2}), ((1, 1, 4, 3, 2), {'scaleFactor': [0.5, 1.5, 1]})],
}


def cases():
    suite = Suite()
    for n in (1, 2, 3):
        for shape, options in SIZES[n]:
            for mode in ('nearest', 'nearest-exact', 'area', *(['linear'] if n == 1 else ['bilinear', 'bicubic'] if n == 2 else ['trilinear'])):
                for align in ([None] if mode in ('nearest', 'nearest-exact', 'area') else [None, False, True]):
                    every = {**options, 'mode': mode, **({} if align is None else {'alignCorners': align})}
                    if align is None and mode.endswith('linear') or align is None and mode == 'bicubic':
                        if options != SIZES[n][0][1]:
                            continue
                    suite.add('interpolate', f'{list(shape)} {every}', ['$0', every], [values(shape)], lambda x: F.interpolate(x, **of_torch(every)))
    suite.add('interpolate', 'by default', ['$0', {'size': [5, 3]}], [values((1, 2, 3, 4))], lambda x: F.interpolate(x, (5, 3)))
    suite.add('interpolate', 'an infinity stays where it is', ['$0', {'size': 7}], [np.array([[[1, np.inf, 2, 3]]], np.float32)], lambda x: F.interpolate(x, 7), grads=False)
    suite.add('interpolate', 'of a view', ['$0', {'size': [5, 7], 'mode': 'bilinear'}], [values((4, 3, 2, 1))], lambda x: F.interpolate(x, (5, 7), mode='bilinear'), views={0: [['permute', [3, 2, 1, 0]]]})
    for op, fn in (('upsample', lambda x, **o: F.interpolate(x, **o)), ('upsampleNearest', lambda x, **o: F.interpolate(x, **o, mode='nearest')), ('upsampleBilinear', lambda x, **o: F.interpolate(x, **o, mode='bilinear', align_corners=True))):
        for options in ({'size': [5, 3]}, {'scaleFactor': 2}):
            suite.add(op, str(options), ['$0', options], [values((1, 2, 3, 4))], lambda x: fn(x, **of_torch(options)))

    grids = [((1, 2, 3, 4), (1, 2, 5, 2)), ((2, 1, 4, 3), (2, 3, 1, 2)), ((1, 1, 1, 1), (1, 2, 2, 2)), ((1, 2, 5, 1), (1, 1, 3, 2)), ((1, 1, 3, 3), (1, 0, 2, 2)), ((1, 1, 2, 3, 2), (1, 2, 1, 3, 3)), ((2, 2, 3, 2, 4), (2, 1, 2, 2, 3))]
    for (shape, places), mode, padding, align in itertools.product(grids, ('bilinear', 'nearest', 'bicubic'), ('zeros', 'border', 'reflection'), (False, True)):
        if mode == 'bicubic' and len(shape) == 5:
            continue
        options = {'mode': mode, 'paddingMode': padding, 'alignCorners': align}
        # Between elements and their middles always, and with so few bits that the coordinates in the image are exact.
        grid = (rng_of(shape, places).integers(-13, 13, places) * 2 + 1).astype(np.float32) / 16
        # Sixteen elements that partly cancel: small ones, so that what is left is right.
        image = values(shape) / 4 if mode == 'bicubic' else values(shape)
        suite.add('gridSample', f'{list(shape)} {list(places)} {options}', ['$0', '$1', options], [image, grid], lambda x, g: F.grid_sample(x, g, **of_torch(options)))
    suite.add('gridSample', 'by default', ['$0', '$1'], [values((1, 2, 3, 4)), decimals(rng_of('grid'), (1, 2, 2, 2), -1, 1)], lambda x, g: F.grid_sample(x, g, align_corners=False))
    for size in ((2, 1, 3, 4), (1, 3, 1, 5), (1, 1, 2, 3, 2), (2, 1, 1, 2, 3), (1, 1, 7, 65)):
        for align in (False, True):
            n = len(size) - 2
            suite.add('affineGrid', f'{list(size)} {align}', ['$0', list(size), *([{'alignCorners': True}] if align else [])], [values((size[0], n, n + 1))], lambda t: F.affine_grid(t, size, align_corners=align))

    for shape, r in (((1, 4, 2, 3), 2), ((2, 9, 2, 1), 3), ((8, 2, 2), 2), ((1, 2, 3, 3), 1), ((2, 2, 4, 1, 3), 2)):
        suite.add('pixelShuffle', f'{list(shape)} {r}', ['$0', r], [values(shape)], lambda x: F.pixel_shuffle(x, r))
    for shape, r in (((1, 2, 4, 6), 2), ((2, 1, 3, 6), 3), ((2, 4, 2), 2), ((1, 2, 3, 3), 1), ((2, 2, 1, 4, 2), 2)):
        suite.add('pixelUnshuffle', f'{list(shape)} {r}', ['$0', r], [values(shape)], lambda x: F.pixel_unshuffle(x, r))
    for shape, groups in (((1, 6, 2, 2), 2), ((2, 6, 3, 1), 3), ((1, 4, 2, 2), 1), ((1, 4, 2, 2), 4)):
        def dealt(x):
            n, c, *rest = x.shape
            return x.reshape(n, groups, c // groups, *rest).transpose(1, 2).reshape(x.shape)
        x = values(shape)
        np.testing.assert_array_equal(dealt(torch.from_numpy(x)), torch.channel_shuffle(torch.from_numpy(x), groups))
        suite.add('channelShuffle', f'{list(shape)} {groups}', ['$0', groups], [x], dealt)
    for shape, size, options in (((1, 2, 4, 5), 2, {}), ((2, 1, 5, 5), 3, {'padding': 1}), ((1, 2, 6, 5), [2, 3], {'stride': 2}), ((1, 1, 7, 7), 2, {'dilation': 3, 'stride': [1, 2]}), ((1, 2, 5, 6), [3, 2], {'dilation': [1, 2], 'padding': [1, 0], 'stride': [2, 1]}),
                                 ((2, 4, 4), 2, {'stride': 2}), ((1, 1, 1, 1), 1, {}), ((1, 3, 3, 3), 3, {})):
        kernel = tuple(size) if isinstance(size, list) else size
        label = f'{list(shape)} {size} {options}'
        arguments = of_torch(options)
        suite.add('im2col', label, ['$0', size, *maybe(options)], [values(shape)], lambda x: F.unfold(x, kernel, **arguments))
        columns = F.unfold(torch.from_numpy(values(shape)), kernel, **arguments).shape
        for op in ('fold', 'col2im') if shape[1] == 1 else ('fold',):
            suite.add(op, label, ['$0', list(shape[-2:]), size, *maybe(options)], [values(tuple(columns), 'columns')], lambda x: F.fold(x, shape[-2:], kernel, **arguments))
    return suite.cases
