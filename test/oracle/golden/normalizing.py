"""Normalisation, distances and attention."""
import math

import numpy as np
import torch
import torch.nn.functional as F

from .suite import Suite, decimals, rng_of


def values(shape, *seed, low=-3, high=3):
    return decimals(rng_of(shape, *seed), shape, low, high)


def rms(x, dims, weight=None, eps=2**-23):
    y = x * torch.rsqrt((x * x).mean(dims, keepdim=True) + eps)
    return y if weight is None else y * weight


def attention(q, k, v, mask=None, causal=False, scale=None):
    repeat = q.shape[-3] // k.shape[-3] if q.dim() > 2 and k.dim() > 2 else 1
    if repeat > 1:
        k, v = k.repeat_interleave(repeat, -3), v.repeat_interleave(repeat, -3)
    scores = q @ k.transpose(-1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if causal:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    return torch.softmax(scores, -1) @ v


def cases():
    suite = Suite()
    for shape, last in (((3, 7), 1), ((2, 3, 65), 1), ((2, 3, 4), 2), ((5,), 1), ((2, 3, 4), 3), ((0, 5), 1), ((4, 5), 1)):
        size = shape[len(shape) - last:]
        args = list(size) if last > 1 else size[0]
        suite.add('layerNorm', f'{list(shape)} last {last}', ['$0', args], [values(shape)], lambda x: F.layer_norm(x, size))
        suite.add('layerNorm', f'{list(shape)} last {last} affine', ['$0', args, '$1', '$2'], [values(shape), values(size, 'w'), values(size, 'b')],
                  lambda x, w, b: F.layer_norm(x, size, w, b))
        dims = list(range(-last, 0))
        suite.add('rmsNorm', f'{list(shape)} last {last}', ['$0', args], [values(shape)], lambda x: rms(x, dims))
        suite.add('rmsNorm', f'{list(shape)} last {last} affine', ['$0', args, '$1', 1e-3], [values(shape), values(size, 'w')], lambda x, w: rms(x, dims, w, 1e-3))
    suite.add('layerNorm', 'eps', ['$0', 7, '$1', None, 0.1], [values((3, 7)), values((7,), 'w')], lambda x, w: F.layer_norm(x, (7,), w, None, 0.1))
    suite.add('layerNorm', 'of a view', ['$0', 5], [values((5, 6))], lambda x: F.layer_norm(x, (5,)), views={0: [['transpose', 0, 1], ['slice', 0, 0, 6, 2]]})
    for shape, groups in (((2, 6, 5), 3), ((2, 6, 3, 3), 2), ((3, 8), 2), ((1, 4, 7), 1), ((2, 4, 9), 4)):
        c = shape[1]
        suite.add('groupNorm', f'{list(shape)} in {groups}', ['$0', groups], [values(shape)], lambda x: F.group_norm(x, groups))
        suite.add('groupNorm', f'{list(shape)} in {groups} affine', ['$0', groups, '$1', '$2', 1e-3], [values(shape), values((c,), 'w'), values((c,), 'b')],
                  lambda x, w, b: F.group_norm(x, groups, w, b, 1e-3))
    for shape in ((2, 3, 5), (2, 3, 4, 4), (1, 2, 65)):
        c = shape[1]
        suite.add('instanceNorm', str(list(shape)), ['$0'], [values(shape)], lambda x: F.instance_norm(x))
        suite.add('instanceNorm', f'{list(shape)} affine', ['$0', None, None, '$1', '$2'], [values(shape), values((c,), 'w'), values((c,), 'b')],
                  lambda x, w, b: F.instance_norm(x, None, None, w, b))
        suite.add('instanceNorm', f'{list(shape)} running', ['$0', '$1', '$2', None, None, False], [values(shape), values((c,), 'm'), values((c,), 'v', low=0.5, high=2)],
                  running)
    for shape in ((4, 3), (2, 3, 5), (3, 2, 4, 4), (2, 3, 2, 2, 2)):
        c = shape[1]
        pair = [values((c,), 'm'), values((c,), 'v', low=0.5, high=2)]
        affine = [values((c,), 'w'), values((c,), 'b')]
        suite.add('batchNorm', str(list(shape)), ['$0', '$1', '$2'], [values(shape), *pair], lambda x, m, v: running(x, m, v))
        suite.add('batchNorm', f'{list(shape)} affine', ['$0', '$1', '$2', '$3', '$4', False, 0.1, 1e-3], [values(shape), *pair, *affine],
                  lambda x, m, v, w, b: running(x, m, v, w, b, 1e-3))
        suite.add('batchNorm', f'{list(shape)} training', ['$0', None, None, '$1', '$2', True], [values(shape), *affine],
                  lambda x, w, b: F.batch_norm(x, None, None, w, b, True))
        for momentum in (0.1, 0.5):
            suite.add('batchNormTraining', f'{list(shape)} momentum={momentum}', ['$0', '$1', '$2', momentum], [values(shape), *pair],
                      lambda x, m, v: tracked(F.batch_norm, x, m, v, momentum))
        if len(shape) > 2:
            suite.add('instanceNormTracking', str(list(shape)), ['$0', '$1', '$2'], [values(shape), *pair], lambda x, m, v: tracked(F.instance_norm, x, m, v, 0.1))

    for p in (1, 2, 3):
        for shape, dim in (((3, 7), 1), ((2, 3, 4), -1), ((2, 3, 4), 0), ((5,), 0)):
            suite.add('normalize', f'{list(shape)} p={p} dim={dim}', ['$0', p, dim], [values(shape)], lambda x: F.normalize(x, p, dim))
    suite.add('normalize', 'zeros', ['$0', 2, 1], [np.array([[0, 0, 0], [3, 4, 0]], np.float32)], F.normalize, grads=False)
    for a, b, dim in (((3, 7), (3, 7), 1), ((3, 7), (7,), -1), ((2, 3, 4), (2, 3, 4), 0), ((5,), (5,), 0), ((3, 1, 4), (2, 4), 2)):
        suite.add('cosineSimilarity', f'{list(a)} {list(b)} dim={dim}', ['$0', '$1', dim], [values(a, 'a'), values(b, 'b')], lambda x, y: cosine(x, y, dim))
    for a, b in (((3, 7), (3, 7)), ((3, 7), (7,)), ((5,), (5,)), ((2, 3, 4), (3, 4))):
        for p in (1, 2, 3):
            suite.add('pairwiseDistance', f'{list(a)} {list(b)} p={p}', ['$0', '$1', p], [values(a, 'a'), values(b, 'b')], lambda x, y: (x - y + 1e-6).norm(p, -1))
    suite.add('pairwiseDistance', 'keepDim', ['$0', '$1', 2, 1e-3, {'keepDim': True}], [values((3, 7), 'a'), values((3, 7), 'b')],
              lambda x, y: F.pairwise_distance(x, y, 2, 1e-3, True))

    for q, k, v in (((5, 4), (7, 4), (7, 3)), ((2, 5, 4), (2, 7, 4), (2, 7, 4)), ((2, 3, 6, 8), (2, 3, 6, 8), (2, 3, 6, 8)), ((1, 1), (1, 1), (1, 2)), ((2, 1, 3, 4), (1, 2, 5, 4), (1, 2, 5, 4))):
        inputs = [values(q, 'q'), values(k, 'k'), values(v, 'v')]
        label = f'{list(q)} {list(k)} {list(v)}'
        suite.add('scaledDotProductAttention', label, ['$0', '$1', '$2'], inputs, attention)
        suite.add('scaledDotProductAttention', f'{label} causal', ['$0', '$1', '$2', {'isCausal': True}], inputs, lambda q, k, v: attention(q, k, v, causal=True))
        suite.add('scaledDotProductAttention', f'{label} scale', ['$0', '$1', '$2', {'scale': 0.3}], inputs, lambda q, k, v: attention(q, k, v, scale=0.3))
        seen = rng_of(q, k, 'mask').uniform(size=(q[-2], k[-2])) < 0.6
        seen[:, 0] = True
        suite.add('scaledDotProductAttention', f'{label} bool mask', ['$0', '$1', '$2', {'attnMask': '$3'}], [*inputs, seen], attention)
        suite.add('scaledDotProductAttention', f'{label} f32 mask', ['$0', '$1', '$2', {'attnMask': '$3'}], [*inputs, values((q[-2], k[-2]), 'bias')], attention)
    for q, k in (((2, 4, 5, 3), (2, 2, 6, 3)), ((6, 3, 4), (2, 3, 4)), ((4, 3, 4), (1, 3, 4)), ((2, 3, 4), (2, 3, 4))):
        inputs = [values(q, 'q'), values(k, 'k'), values(k, 'v')]
        suite.add('scaledDotProductAttention', f'{list(q)} {list(k)} grouped', ['$0', '$1', '$2', {'enableGqa': True}], inputs, attention)
        suite.add('scaledDotProductAttention', f'{list(q)} {list(k)} grouped causal', ['$0', '$1', '$2', {'enableGqa': True, 'isCausal': True}], inputs,
                  lambda q, k, v: attention(q, k, v, causal=True))
    for case in suite.cases:
        if case['op'].endswith(('Training', 'Tracking')):
            case['grads'][1:] = [None, None]
    return suite.cases


def cosine(x, y, dim):
    x, y = torch.broadcast_tensors(x, y)
    return F.cosine_similarity(x, y, dim)


def by_channel(v, x):
    return v.reshape(1, -1, *[1] * (x.dim() - 2))


def running(x, m, v, w=None, b=None, eps=1e-5):
    """Written out: PyTorch has no gradients of running statistics."""
    y = (x - by_channel(m, x)) / torch.sqrt(by_channel(v, x) + eps)
    if w is not None:
        y = y * by_channel(w, x) + by_channel(b, x)
    return y


def tracked(norm, x, m, v, momentum):
    m, v = m.detach().clone(), v.detach().clone()
    y = norm(x, m, v, None, None, True, momentum)
    return y, m, v
