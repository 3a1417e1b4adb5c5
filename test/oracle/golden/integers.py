"""Arithmetic of 32-bit integers, by Python's unbounded ones: results wrap, and division by zero gives 0."""
import numpy as np
import torch

from .suite import Suite

SIGNED = [-2**31, -2**31 + 1, -65537, -7, -3, -2, -1, 0, 1, 2, 3, 7, 31, 32, 65536, 2**31 - 2, 2**31 - 1]
UNSIGNED = [0, 1, 2, 3, 7, 31, 32, 33, 65535, 65537, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 7, 2**32 - 1]


def truncated_remainder(a, b):
    return (abs(a) % abs(b)) * (1 if a >= 0 else -1)


def power(a, b):
    if b >= 0:
        return pow(a, b, 2**32)
    return {1: 1, -1: 1 if b % 2 == 0 else -1}.get(a, 0)


def shift_left(a, b):
    return a << b if 0 <= b < 32 else 0


def shift_right(a, b):
    return a >> (b if 0 <= b < 32 else 32)


BINARY = {
    'add': lambda a, b: a + b,
    'sub': lambda a, b: a - b,
    'mul': lambda a, b: a * b,
    'floorDivide': lambda a, b: a // b if b else 0,
    'remainder': lambda a, b: a % b if b else 0,
    'fmod': lambda a, b: truncated_remainder(a, b) if b else 0,
    'pow': power,
    'maximum': max,
    'minimum': min,
    'bitwiseAnd': lambda a, b: a & b,
    'bitwiseOr': lambda a, b: a | b,
    'bitwiseXor': lambda a, b: a ^ b,
    'bitwiseLeftShift': shift_left,
    'bitwiseRightShift': shift_right,
}
COMPARE = {
    'eq': lambda a, b: a == b,
    'ne': lambda a, b: a != b,
    'lt': lambda a, b: a < b,
    'le': lambda a, b: a <= b,
    'gt': lambda a, b: a > b,
    'ge': lambda a, b: a >= b,
}
UNARY = {'neg': lambda a: -a, 'abs': abs, 'sign': lambda a: (a > 0) - (a < 0), 'bitwiseNot': lambda a: ~a, 'floor': lambda a: a,
         'square': lambda a: a * a}

# Where PyTorch's own int32 is defined it must agree.
TORCH = {'add': torch.add, 'sub': torch.sub, 'mul': torch.mul, 'maximum': torch.maximum, 'minimum': torch.minimum,
         'bitwiseAnd': torch.bitwise_and, 'bitwiseOr': torch.bitwise_or, 'bitwiseXor': torch.bitwise_xor, 'pow': torch.pow,
         'floorDivide': torch.floor_divide, 'remainder': torch.remainder, 'fmod': torch.fmod}
DIVIDES = ('floorDivide', 'remainder', 'fmod')


def wrap(numbers, dtype):
    array = np.array(numbers, dtype=object)
    words = [int(n) % 2**32 for n in array.reshape(-1)]
    return np.array(words, np.uint32).view(dtype).reshape(array.shape)


def check_with_torch(name, values, results):
    if name not in TORCH:
        return
    for i, a in enumerate(values):
        for j, b in enumerate(values):
            if name in DIVIDES and (b == 0 or (a, b) == (-2**31, -1)):
                continue
            theirs = TORCH[name](torch.tensor([a], dtype=torch.int32), torch.tensor([b], dtype=torch.int32))
            assert int(theirs) == int(results[i, j]), (name, a, b, int(theirs), int(results[i, j]))


def cases():
    suite = Suite()
    for dtype, numbers, label in ((np.int32, SIGNED, 'i32'), (np.uint32, UNSIGNED, 'u32')):
        values = np.array(numbers, dtype)
        column, row = values[:, None], values[None, :]
        for name, fn in BINARY.items():
            results = wrap([[fn(a, b) for b in numbers] for a in numbers], dtype)
            if dtype == np.int32:
                check_with_torch(name, numbers, results)
            suite.known(name, label, ['$0', '$1'], [column, row], [results])
        for name, fn in COMPARE.items():
            suite.known(name, label, ['$0', '$1'], [column, row], [np.array([[fn(a, b) for b in numbers] for a in numbers])])
        for name, fn in UNARY.items():
            suite.known(name, label, ['$0'], [values], [wrap([fn(a) for a in numbers], dtype)])
        suite.known('add', f'{label} with the number 5', ['$0', 5], [values], [wrap([a + 5 for a in numbers], dtype)])
        suite.known('sub', f'the number 5 with {label}', [5, '$0'], [values], [wrap([5 - a for a in numbers], dtype)])
        suite.known('sum', label, ['$0'], [values], [wrap(sum(numbers), dtype)])
        product = 1
        for a in (3, 65537, 7, 2**20 + 1, 5):
            product *= a
        suite.known('prod', label, ['$0'], [np.array([3, 65537, 7, 2**20 + 1, 5], dtype)], [wrap(product, dtype)])
        suite.known('max', label, ['$0'], [values], [np.array(max(numbers), dtype)])
        suite.known('min', label, ['$0'], [values], [np.array(min(numbers), dtype)])
        suite.known('argmax', label, ['$0', 0], [values], [np.array(numbers.index(max(numbers)), np.int32)])
        suite.known('argmin', label, ['$0', 0], [values], [np.array(numbers.index(min(numbers)), np.int32)])
        a, b = numbers[:6], numbers[-8:]
        left, right = np.array(a, dtype).reshape(3, 2), np.array(b, dtype).reshape(2, 4)
        exact = [[sum(int(left[i, k]) * int(right[k, j]) for k in range(2)) for j in range(4)] for i in range(3)]
        suite.known('matmul', label, ['$0', '$1'], [left, right], [wrap(exact, dtype)])
        quotients = np.array([[np.float64(a) / b if b else np.nan if a == 0 else np.copysign(np.inf, a) for b in (1, 3, -7 if label == 'i32' else 7, 0)]
                              for a in (1, 0, 7, 1000)]).astype(np.float32)
        suite.known('div', label, ['$0', '$1'], [np.array([[1], [0], [7], [1000]], dtype),
                                                 np.array([[1, 3, -7 if label == 'i32' else 7, 0]], np.int64).astype(dtype)], [quotients])
    suite.known('add', 'i32 and u32 give i32', ['$0', '$1'], [np.array([1, -1], np.int32), np.array([2**31, 1], np.uint32)],
                [wrap([1 + 2**31, 0], np.int32)])
    suite.known('mul', 'i32 and f32 give f32', ['$0', '$1'], [np.array([3, -2], np.int32), np.array([0.5, 0.25], np.float32)],
                [np.array([1.5, -0.5], np.float32)])
    suite.known('add', 'bool and bool give i32', ['$0', '$1'], [np.array([True, False, True]), np.array([True, False, False])],
                [np.array([2, 0, 1], np.int32)])
    suite.known('sum', 'bool gives i32', ['$0', 1], [np.array([[True, False, True], [False, False, False]])], [np.array([2, 0], np.int32)])
    return suite.cases
