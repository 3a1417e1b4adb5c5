"""Softmax and its family, losses, and compositions of many ops."""
import numpy as np
import torch
import torch.nn.functional as F

from .suite import Suite, decimals, rng_of


def values(shape, *seed, low=-4, high=4):
    return decimals(rng_of(shape, *seed), shape, low, high)


def attention(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2) * 0.5, -1) @ v


def mlp(x, w1, b1, w2, b2, labels):
    return F.cross_entropy(torch.relu(x @ w1.t() + b1) @ w2.t() + b2, labels.long())


def cases():
    suite = Suite()
    for op, fn in (('softmax', torch.softmax), ('logSoftmax', torch.log_softmax)):
        for shape, dim in (((7,), 0), ((3, 65), -1), ((3, 7), 0), ((2, 3, 4), 1), ((5, 1), 1), ((0, 3), 1), ((3, 0), 1)):
            args = ['$0'] if dim == -1 else ['$0', dim]
            suite.add(op, f'{list(shape)} dim={dim}', args, [values(shape)], lambda x: fn(x, dim))
        large = np.array([[1000, 0, -1000], [1e30, 1e30, 0], [-200, -200, -201]], np.float32)
        suite.add(op, 'of large numbers', ['$0'], [large], lambda x: fn(x, -1), close=False)
        suite.add(op, 'of a view', ['$0', 1], [values((3, 4, 5))], lambda x: fn(x, 1),
                  views={0: [['permute', [2, 0, 1]], ['slice', 0, 0, 5, 2]]})

    labels = np.array([2, 0, 4, 4, 1], np.int32)
    logits = values((5, 5), 'logits')
    long = lambda fn: lambda x, t: fn(x, t.long())
    for reduction in ('mean', 'sum', 'none'):
        suite.add('crossEntropy', reduction, ['$0', '$1', {'reduction': reduction}], [logits, labels],
                  long(lambda x, t: F.cross_entropy(x, t, reduction=reduction)))
        suite.add('nllLoss', reduction, ['$0', '$1', {'reduction': reduction}], [logits, labels],
                  long(lambda x, t: F.nll_loss(x, t, reduction=reduction)))
        target = values((3, 7), 'target', low=0, high=1)
        pair = [values((3, 7), 'input'), target]
        for op, fn in (('mseLoss', F.mse_loss), ('l1Loss', F.l1_loss), ('huberLoss', F.huber_loss),
                       ('binaryCrossEntropyWithLogits', F.binary_cross_entropy_with_logits)):
            suite.add(op, reduction, ['$0', '$1', {'reduction': reduction}], pair, lambda x, t: fn(x, t, reduction=reduction))
    suite.add('crossEntropy', 'by default', ['$0', '$1'], [logits, labels], long(F.cross_entropy))
    suite.add('crossEntropy', 'one row', ['$0', '$1'], [values((5,)), np.array(3, np.int32)], long(F.cross_entropy))
    suite.add('crossEntropy', 'of images', ['$0', '$1'], [values((2, 3, 2, 2)), np.array([[[0, 1], [2, 2]], [[1, 1], [0, 2]]], np.int32)],
              long(F.cross_entropy))
    suite.add('crossEntropy', 'ignoreIndex', ['$0', '$1', {'ignoreIndex': 4}], [logits, labels],
              long(lambda x, t: F.cross_entropy(x, t, ignore_index=4)))
    suite.add('crossEntropy', 'labelSmoothing', ['$0', '$1', {'labelSmoothing': 0.1}], [logits, labels],
              long(lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1)))
    # Multiples of 1/8 that add up to 1 exactly.
    soft = rng_of('soft').multinomial(8, [0.2] * 5, size=5).astype(np.float32) / 8
    suite.add('crossEntropy', 'probabilities', ['$0', '$1'], [logits, soft], F.cross_entropy)
    suite.add('huberLoss', 'delta', ['$0', '$1', {'delta': 0.5}], [values((9,), 'a'), values((9,), 'b')], lambda x, t: F.huber_loss(x, t, delta=0.5))

    norm = lambda x, w, b: F.layer_norm(x, (x.shape[-1],), w, b, eps=1e-5)
    for shape in ((3, 7), (2, 3, 65), (4, 1), (0, 5)):
        n = shape[-1]
        # Of one number the float32 layer norm leaves a rest that is not zero.
        suite.add('composedLayerNorm', str(list(shape)), ['$0', '$1', '$2'],
                  [values(shape), values((n,), 'w', low=0.5, high=1.5), values((n,), 'b')], norm, close=n > 1)
    suite.add('attention', '[2, 5, 4] [2, 7, 4] [2, 7, 3]', ['$0', '$1', '$2'],
              [values((2, 5, 4), 'q'), values((2, 7, 4), 'k'), values((2, 7, 3), 'v')], attention)
    suite.add('mlp', '4 of 6-5-3', ['$0', '$1', '$2', '$3', '$4', '$5'],
              [values((4, 6), low=-1, high=1), values((5, 6), low=-1, high=1), values((5,), low=-1, high=1),
               values((3, 5), low=-1, high=1), values((3,), low=-1, high=1), np.array([0, 2, 1, 2], np.int32)], mlp)
    suite.add('reluSum', '[3, 7]', ['$0'], [values((3, 7))], lambda x: torch.relu(x * 2 + 1).sum())
    suite.add('deepChain', '[5]', ['$0'], [values((5,), low=0.5, high=1)], deep_chain)
    return suite.cases


def deep_chain(x):
    y = x
    for _ in range(20):
        y = torch.sin(y) * x + torch.cos(y)
    return y
