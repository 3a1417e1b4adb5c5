"""Jacobians, Hessians, products with them, and gradients by example, as torch.autograd.functional has them."""
import numpy as np
import torch
import torch.nn.functional as F
from torch.autograd.functional import hessian, hvp, jacobian

from .suite import Suite, decimals, rng_of


def values(shape, *seed, low=-1, high=1):
    return decimals(rng_of(shape, *seed), shape, low, high)


def weighed(x, a):
    return ((a @ x).sin() * (x * x).exp()).sum()


def coupled(x, a):
    return torch.tanh((a @ x) * (x * x).sum())


def network(w, x):
    return (torch.softmax(torch.tanh(x @ w), -1) ** 2).mean()


def filtered(w, x):
    return (torch.sigmoid(F.conv2d(x, w, padding=1, stride=2)) ** 2).sum()


def attention(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2), -1) @ v


def derivative(of, fn, **options):
    """A derivative by the first argument; differentiable by all."""
    return lambda x, *rest: of(lambda y: fn(y, *rest), x, create_graph=True, **options)


def by_vector(fn):
    return lambda x, rest, v: hvp(lambda y: fn(y, rest), x, v, create_graph=True)[1]


def jvp_along_sine(q, k, v):
    j = jacobian(lambda x: attention(x, k, v), q, create_graph=True)
    return torch.tensordot(j, torch.sin(q), dims=q.dim())


def by_example(w, x, label):
    loss = lambda i: F.cross_entropy(x[i] @ w, label[i].long())
    return torch.stack([torch.autograd.grad(loss(i), w, create_graph=True)[0] if w.requires_grad
                        else jacobian(lambda v: F.cross_entropy(x[i] @ v, label[i].long()), w) for i in range(len(x))])


def cases():
    suite = Suite()

    def add(op, name, inputs, fn):
        suite.add(op, name, [f'${i}' for i in range(len(inputs))], inputs, fn)

    for n in (1, 3, 7):
        square = [values((n,), 'x'), values((n, n), 'a')]
        add('hessianOfWeighed', f'[{n}]', square, derivative(hessian, weighed))
        for op in ('jacobianOfCoupled', 'jacfwdOfCoupled'):
            add(op, f'[{n}]', [values((n,), 'x'), values((n + 2, n), 'a')], derivative(jacobian, coupled))
        add('hessianOfProduct', f'[{n}]', [values((n,), 'p', low=0.5, high=1.5)], derivative(hessian, torch.prod))
        distinct = np.asarray(rng_of('sorted', n).permutation(n) / 4 - 0.5, np.float32)
        add('jacfwdOfSorted', f'[{n}]', [distinct], derivative(jacobian, lambda v: v.exp()[torch.argsort(v)]))
    network_inputs = [values((3, 4), 'w'), values((5, 3), 'x')]
    add('hessianOfNetwork', '[3, 4]', network_inputs, derivative(hessian, network))
    add('hvpOfNetwork', '[3, 4]', [*network_inputs, values((3, 4), 'v')], by_vector(network))
    add('hvpOfFiltered', '[2, 3, 3, 3]', [values((2, 3, 3, 3), 'w'), values((2, 3, 5, 5), 'x'), values((2, 3, 3, 3), 'v')],
        by_vector(filtered))
    add('jvpOfAttention', '[2, 3, 4]', [values((2, 3, 4), s) for s in 'qkv'], jvp_along_sine)
    add('gradientsByExample', '[5]', [values((3, 4), 'w'), values((5, 3), 'x'), np.array([0, 3, 1, 2, 3], np.int32)],
        by_example)
    return suite.cases
