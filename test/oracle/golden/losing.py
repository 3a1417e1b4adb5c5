"""Losses that `composing` does not have, and the options of those that it has."""
import math

import numpy as np
import torch
import torch.nn.functional as F

from .suite import Suite, decimals, rng_of


def values(shape, *seed, low=-3, high=3):
    return decimals(rng_of(shape, *seed), shape, low, high)


REDUCTIONS = ('mean', 'sum', 'none')


def long(fn):
    return lambda x, t, *rest: fn(x, t.long(), *rest)


def cases():
    suite = Suite()
    for shape in ((5, 4), (4,), (2, 4, 3), (2, 4, 2, 3)):
        classes = shape[1] if len(shape) > 1 else 4
        rows = (shape[0], *shape[2:]) if len(shape) > 1 else ()
        logits = values(shape, 'logits')
        labels = np.asarray(rng_of(shape, 'labels').integers(0, classes, rows), np.int32)
        soft = rng_of(shape, 'soft').multinomial(8, [1 / classes] * classes, size=rows or 1).astype(np.float32) / 8
        soft = np.ascontiguousarray(np.moveaxis(soft, -1, 1)) if len(shape) > 1 else soft[0]
        weight = values((classes,), 'weight', low=0.2, high=2)
        ignored = labels.copy()
        ignored.reshape(-1)[: 1 + ignored.size // 3] = -100
        for reduction in REDUCTIONS:
            for smoothing in (0, 0.2):
                more = {'reduction': reduction, 'labelSmoothing': smoothing}
                def loss(x, t, w=None):
                    return F.cross_entropy(x, t, w, reduction=reduction, label_smoothing=smoothing)
                label = f'{list(shape)} {reduction} smoothing={smoothing}'
                suite.add('crossEntropy', f'{label}', ['$0', '$1', more], [logits, labels], long(loss))
                suite.add('crossEntropy', f'{label} weighted', ['$0', '$1', {**more, 'weight': '$2'}], [logits, labels, weight], lambda x, t, w: loss(x, t.long(), w.detach()))
                if rows:
                    suite.add('crossEntropy', f'{label} ignored', ['$0', '$1', {**more, 'weight': '$2'}], [logits, ignored, weight],
                              lambda x, t, w: loss(x, t.long(), w.detach()), close=True)
                    suite.add('crossEntropy', f'{label} probabilities', ['$0', '$1', more], [logits, soft], lambda x, t: loss(x, t.detach()))
                    suite.add('crossEntropy', f'{label} weighted probabilities', ['$0', '$1', {**more, 'weight': '$2'}], [logits, soft, weight], lambda x, t, w: loss(x, t.detach(), w.detach()))
            label = f'{list(shape)} {reduction}'
            suite.add('nllLoss', f'{label} weighted', ['$0', '$1', {'reduction': reduction, 'weight': '$2'}], [logits, labels, weight],
                      lambda x, t, w: F.nll_loss(x, t.long(), w.detach(), reduction=reduction))
            if rows:
                suite.add('nllLoss', f'{label} ignored', ['$0', '$1', {'reduction': reduction}], [logits, ignored], long(lambda x, t: F.nll_loss(x, t, reduction=reduction)))
                suite.add('nllLoss', f'{label} ignoreIndex', ['$0', '$1', {'reduction': reduction, 'ignoreIndex': 1}], [logits, labels],
                          long(lambda x, t: F.nll_loss(x, t, reduction=reduction, ignore_index=1)))

    for shape in ((3, 7), (5,), (), (2, 3, 4)):
        x = values(shape, 'x')
        t = values(shape, 't')
        unit, unit_t = values(shape, 'u', low=0.02, high=0.98), values(shape, 'ut', low=0, high=1)
        positive = values(shape, 'p', low=0, high=4)
        sign = np.asarray(np.where(rng_of(shape, 's').uniform(size=shape) < 0.5, -1, 1), np.float32)
        weight = values(shape[-1:], 'w', low=0.2, high=2)
        for reduction in REDUCTIONS:
            more = {'reduction': reduction}
            def add(op, inputs, fn, **options):
                label = f'{list(shape)} {reduction}' + (f' {options}' if options else '')
                args = [f'${i}' for i in range(len(inputs))]
                suite.add(op, label, [*args, {**more, **options}], inputs, fn)
            for beta in (0, 0.5, 1):
                add('smoothL1Loss', [x, t], lambda a, b: F.smooth_l1_loss(a, b, reduction=reduction, beta=beta), beta=beta)
            add('huberLoss', [x, t], lambda a, b: F.huber_loss(a, b, reduction=reduction, delta=2), delta=2)
            suite.add('binaryCrossEntropy', f'{list(shape)} {reduction}', ['$0', '$1', more], [unit, unit_t], lambda a, b: F.binary_cross_entropy(a, b.detach(), reduction=reduction))
            suite.add('binaryCrossEntropy', f'{list(shape)} {reduction} weighted', ['$0', '$1', {**more, 'weight': '$2'}], [unit, unit_t, weight],
                      lambda a, b, w: F.binary_cross_entropy(a, b.detach(), w.detach().expand_as(a), reduction=reduction))
            suite.add('binaryCrossEntropyWithLogits', f'{list(shape)} {reduction} weighted', ['$0', '$1', {**more, 'weight': '$2', 'posWeight': '$3'}],
                      [x, unit_t, weight, values(shape[-1:], 'pw', low=0.2, high=3)],
                      lambda a, b, w, p: F.binary_cross_entropy_with_logits(a, b.detach(), w.detach(), reduction=reduction, pos_weight=p.detach()))
            add('klDiv', [x, unit_t], lambda a, b: F.kl_div(a, b.detach(), reduction=reduction))
            add('klDiv', [x, t], lambda a, b: F.kl_div(a, b.detach(), reduction=reduction, log_target=True), logTarget=True)
            add('poissonNllLoss', [x, positive], lambda a, b: F.poisson_nll_loss(a, b, reduction=reduction))
            add('poissonNllLoss', [values(shape, 'r', low=0.3, high=4), positive], lambda a, b: F.poisson_nll_loss(a, b.detach(), log_input=False, full=True, reduction=reduction), logInput=False, full=True)
            add('softMarginLoss', [x, sign], lambda a, b: F.soft_margin_loss(a, b.detach(), reduction=reduction))
            for margin in (1, 0.5):
                add('hingeEmbeddingLoss', [x, sign], lambda a, b: F.hinge_embedding_loss(a, b.detach(), margin, reduction=reduction), margin=margin)
                add('marginRankingLoss', [x, t, sign], lambda a, b, c: F.margin_ranking_loss(a, b, c.detach(), margin, reduction=reduction), margin=margin)
            if shape:
                add('gaussianNllLoss', [x, t, values(shape, 'v', low=0.1, high=3)], lambda a, b, v: F.gaussian_nll_loss(a, b, v, full=True, reduction=reduction), full=True)
                add('gaussianNllLoss', [x, t, values((*shape[:-1], 1), 'v', low=0.1, high=3)], lambda a, b, v: F.gaussian_nll_loss(a, b, v, reduction=reduction))
                suite.add('multilabelSoftMarginLoss', f'{list(shape)} {reduction}', ['$0', '$1', {**more, 'weight': '$2'}], [x, (sign > 0).astype(np.float32), weight],
                          lambda a, b, w: F.multilabel_soft_margin_loss(a, b.detach(), w.detach(), reduction=reduction))
    suite.add('klDiv', 'batchmean', ['$0', '$1', {'reduction': 'batchmean'}], [values((3, 7), 'x'), values((3, 7), 't', low=0.1, high=1)], lambda a, b: F.kl_div(a, b, reduction='batchmean'))
    suite.add('klDiv', 'of zeros', ['$0', '$1'], [values((4,), 'x'), np.array([0, 0.5, 0, 0.5], np.float32)], lambda a, b: F.kl_div(a, b, reduction='mean'), grads=False)
    suite.add('binaryCrossEntropy', 'at the ends', ['$0', '$1', {'reduction': 'none'}], [np.array([0, 1, 0, 1], np.float32), np.array([0, 1, 1, 0], np.float32)],
              lambda a, b: F.binary_cross_entropy(a, b, reduction='none'), grads=False)
    suite.add('gaussianNllLoss', 'small variances', ['$0', '$1', '$2', {'eps': 0.5}], [values((5,), 'x'), values((5,), 't'), np.array([0.1, 0.4, 0.6, 1, 2], np.float32)],
              lambda a, b, v: F.gaussian_nll_loss(a, b, v, eps=0.5))

    for shape in ((4, 5), (5,)):
        target = np.asarray(np.where(rng_of(shape, 'cos').uniform(size=shape[:-1]) < 0.5, -1, 1), np.float32)
        a, b, c = values(shape, 'a'), values(shape, 'b'), values(shape, 'c')
        for reduction in REDUCTIONS:
            for margin in (0, 0.3):
                suite.add('cosineEmbeddingLoss', f'{list(shape)} {reduction} margin={margin}', ['$0', '$1', '$2', {'margin': margin, 'reduction': reduction}], [a, b, target],
                          lambda x, y, t: F.cosine_embedding_loss(x, y, t.detach(), margin, reduction=reduction))
            for p, swap in ((2, False), (1, False), (2, True)):
                suite.add('tripletMarginLoss', f'{list(shape)} {reduction} p={p} swap={swap}', ['$0', '$1', '$2', {'p': p, 'swap': swap, 'reduction': reduction, 'margin': 2}], [a, b, c],
                          lambda x, y, z: F.triplet_margin_loss(x, y, z, 2, p, swap=swap, reduction=reduction))
            labels = np.asarray(rng_of(shape, 'multi').integers(0, 5, shape[:-1]), np.int32)
            for p in (1, 2):
                suite.add('multiMarginLoss', f'{list(shape)} {reduction} p={p}', ['$0', '$1', {'p': p, 'reduction': reduction}], [a, labels],
                          long(lambda x, t: F.multi_margin_loss(x, t, p, reduction=reduction)))
                suite.add('multiMarginLoss', f'{list(shape)} {reduction} p={p} weighted', ['$0', '$1', {'p': p, 'reduction': reduction, 'margin': 0.5, 'weight': '$2'}], [a, labels, values((5,), 'mw', low=0.2, high=2)],
                          lambda x, t, w: F.multi_margin_loss(x, t.long(), p, 0.5, w.detach(), reduction=reduction))

    def ctc(x, t, times, sizes, **more):
        return F.ctc_loss(torch.log_softmax(x, -1), t.long(), torch.tensor(times), torch.tensor(sizes), **more)
    targets = np.array([[1, 2, 2, 3], [3, 1, 0, 0], [2, 0, 0, 0]], np.int32)
    for reduction in REDUCTIONS:
        for times, sizes in (([8, 8, 8], [4, 2, 1]), ([8, 5, 3], [4, 2, 1]), ([8, 6, 2], [3, 0, 1])):
            suite.add('ctcOfLogits', f'{reduction} {times} {sizes}', ['$0', '$1', times, sizes, {'reduction': reduction}], [values((8, 3, 5), 'ctc'), targets],
                      lambda x, t: ctc(x, t, times, sizes, reduction=reduction))
    suite.add('ctcOfLogits', 'blank at the end', ['$0', '$1', [6, 6], [3, 2], {'blank': 3}], [values((6, 2, 4), 'ctc'), np.array([[0, 1, 2], [2, 2, 0]], np.int32)],
              lambda x, t: ctc(x, t, [6, 6], [3, 2], blank=3))
    suite.add('ctcOfLogits', 'targets in a row', ['$0', '$1', [6, 5], [3, 2]], [values((6, 2, 4), 'ctc'), np.array([1, 2, 3, 2, 2], np.int32)], lambda x, t: ctc(x, t, [6, 5], [3, 2]))
    suite.add('ctcOfLogits', 'one example', ['$0', '$1', [5], [2]], [values((5, 4), 'ctc'), np.array([1, 3], np.int32)], lambda x, t: ctc(x, t, [5], [2]))
    suite.add('ctcOfLogits', 'one step', ['$0', '$1', [1], [1]], [values((1, 1, 3), 'ctc'), np.array([[2]], np.int32)], lambda x, t: ctc(x, t, [1], [1]))
    for zero in (False, True):
        suite.add('ctcLoss', f'of log-probabilities zeroInfinity={zero}', ['$0', '$1', [6, 6], [3, 2], {'zeroInfinity': zero, 'reduction': 'none'}],
                  [values((6, 2, 4), 'ctc', low=-3, high=-0.1), np.array([[1, 2, 3], [2, 2, 1]], np.int32)],
                  lambda x, t: F.ctc_loss(x, t.long(), torch.tensor([6, 6]), torch.tensor([3, 2]), reduction='none', zero_infinity=zero), grads=False)
    impossible = [values((3, 2, 4), 'ctc'), np.array([[1, 1, 2], [1, 2, 3]], np.int32)]
    suite.add('ctcOfLogits', 'impossible', ['$0', '$1', [3, 3], [3, 3], {'reduction': 'none'}], impossible, lambda x, t: ctc(x, t, [3, 3], [3, 3], reduction='none'), grads=False)
    suite.add('ctcOfLogits', 'impossible for nothing', ['$0', '$1', [3, 3], [3, 3], {'reduction': 'none', 'zeroInfinity': True}], impossible,
              lambda x, t: ctc(x, t, [3, 3], [3, 3], reduction='none', zero_infinity=True))
    # Constant targets have no gradient in PyTorch, and are not asked for one here.
    for case in suite.cases:
        for i, array in enumerate(case['inputs'] if 'grads' in case else []):
            if i > 0 and case['grads'][i] is not None and constant(case, i):
                case['grads'][i] = None
    return suite.cases


def constant(case, i):
    """Whether the case detaches the input: then its gradient came out as zeros."""
    grad = case['grads'][i]
    data = grad['data'] if isinstance(grad['data'], list) else [grad['data']['repeat']]
    return all(x == 0 for x in data) and len(data) > 0
