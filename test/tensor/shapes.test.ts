import * as tl from 'tiller';
import { describe, expect, it } from 'vitest';

const z = (...shape: number[]) => tl.zeros(shape);
const index = (...shape: number[]) => tl.zeros(shape, { dtype: 'i32' });

describe('shapes', () => {
  it.each<[string, tl.Tensor, readonly number[]]>([
    // broadcasting
    ['add of equal shapes', z(2, 3).add(z(2, 3)), [2, 3]],
    ['add of a number', z(2, 3).add(1), [2, 3]],
    ['add of a row', z(2, 3).add(z(3)), [2, 3]],
    ['add of a column and a row', z(2, 1).add(z(3)), [2, 3]],
    ['add of a single number', z().add(z(2, 0)), [2, 0]],
    ['add over an empty axis', z(1, 3).add(z(0, 3)), [0, 3]],
    ['where of three shapes', tl.where(z(2, 1, 1).gt(0), z(3, 1), z(4)), [2, 3, 4]],
    ['where of numbers', tl.where(z(2, 3).gt(0), 1, 0), [2, 3]],
    ['where as a method', z(3, 1).where(z(4).gt(0), 1), [3, 4]],
    ['clamp by a row', z(2, 3).clamp(z(3)), [2, 3]],
    // reductions
    ['sum', z(2, 3, 4).sum(), []],
    ['sum of null', z(2, 3, 4).sum(null), []],
    ['sum over one axis', z(2, 3, 4).sum(1), [2, 4]],
    ['sum over the last axis', z(2, 3, 4).sum(-1), [2, 3]],
    ['sum over axes', z(2, 3, 4).sum([0, -1]), [3]],
    ['sum over no axes', z(2, 3).sum([]), [2, 3]],
    ['sum with keepDim', z(2, 3, 4).sum([0, 2], { keepDim: true }), [1, 3, 1]],
    ['max with keepDim', z(2, 3).max(undefined, { keepDim: true }), [1, 1]],
    ['sum over an empty axis', z(2, 0).sum(1), [2]],
    ['argmax', z(2, 3).argmax(), []],
    ['argmax with keepDim', z(2, 3).argmax(undefined, { keepDim: true }), [1, 1]],
    ['argmin along an axis', z(2, 3).argmin(0), [3]],
    ['var', z(2, 3).var(1), [2]],
    ['std', z(2, 3).std(0, { keepDim: true }), [1, 3]],
    ['norm', z(2, 3).norm(1, 0), [3]],
    ['logsumexp', z(2, 3).logsumexp(1, { keepDim: true }), [2, 1]],
    // movement
    ['reshape', z(2, 3).reshape(3, 2), [3, 2]],
    ['reshape to inferred', z(2, 3).reshape([-1]), [6]],
    ['reshape inferred in the middle', z(2, 3, 4).reshape(2, -1, 2), [2, 6, 2]],
    ['reshape to a single number', z(1, 1).reshape([]), []],
    ['reshape of nothing', z(0, 3).reshape(3, 0), [3, 0]],
    ['flatten', z(2, 3, 4).flatten(), [24]],
    ['flatten from 1', z(2, 3, 4).flatten(1), [2, 12]],
    ['flatten of a single number', z().flatten(), [1]],
    ['unflatten', z(2, 12).unflatten(-1, [3, -1]), [2, 3, 4]],
    ['squeeze', z(1, 2, 1).squeeze(), [2]],
    ['squeeze of an axis', z(1, 2, 1).squeeze(0), [2, 1]],
    ['squeeze of a longer axis', z(1, 2, 1).squeeze(1), [1, 2, 1]],
    ['unsqueeze', z(2, 3).unsqueeze(1), [2, 1, 3]],
    ['unsqueeze at the end', z(2, 3).unsqueeze(-1), [2, 3, 1]],
    ['permute', z(2, 3, 4).permute(0, 2, 1), [2, 4, 3]],
    ['permute by a list', z(2, 3, 4).permute([-1, 0, 1]), [4, 2, 3]],
    ['transpose', z(2, 3, 4).transpose(0, -1), [4, 3, 2]],
    ['t', z(2, 3).t(), [3, 2]],
    ['t of a vector', z(3).t(), [3]],
    ['expand', z(2, 1).expand(2, 3), [2, 3]],
    ['expand with -1', z(2, 1).expand(4, -1, 3), [4, 2, 3]],
    ['broadcastTo', z(3).broadcastTo([2, 3]), [2, 3]],
    ['repeat', z(2, 3).repeat(2, 1), [4, 3]],
    ['repeat into new axes', z(2).repeat(3, 2), [3, 4]],
    ['repeat none', z(2, 3).repeat(0, 1), [0, 3]],
    ['tile', z(2, 3).tile(2), [2, 6]],
    ['repeatInterleave', z(2, 3).repeatInterleave(2, 0), [4, 3]],
    ['flip', z(2, 3).flip(), [2, 3]],
    ['roll', z(2, 3).roll(1), [2, 3]],
    ['roll of axes', z(2, 3).roll([1, -1], [0, 1]), [2, 3]],
    ['tril', z(2, 3).tril(), [2, 3]],
    ['pad of the last axis', z(2, 3).pad([1, 2]), [2, 6]],
    ['pad of two axes', z(2, 3).pad([1, 2, 3, 4]), [9, 6]],
    ['pad that crops', z(2, 3).pad([-1, 1]), [2, 3]],
    // joining and parts
    ['concat', tl.concat([z(2, 3), z(1, 3)]), [3, 3]],
    ['cat along the last axis', tl.cat([z(2, 3), z(2, 0), z(2, 1)], -1), [2, 4]],
    ['stack', tl.stack([z(2, 3), z(2, 3)]), [2, 2, 3]],
    ['stack at the end', tl.stack([z(2, 3), z(2, 3)], -1), [2, 3, 2]],
    ['narrow', z(5, 2).narrow(0, 1, 3), [3, 2]],
    ['select', z(5, 2).select(0, -1), [2]],
    ['slice', z(10).slice(0, 2, 8, 2), [3]],
    ['slice from the back', z(10).slice(0, -3), [3]],
    ['slice past the end', z(10).slice(0, 5, 100), [5]],
    ['slice backwards', z(10).slice(0, null, null, -3), [4]],
    ['an empty slice', z(10).slice(0, 5, 2), [0]],
    ['at a number', z(2, 3).at(0), [3]],
    ['at ranges', z(4, 5).at([1, 3], [null, null, 2]), [2, 3]],
    ['at the end', z(2, 3, 4).at('...', -1), [2, 3]],
    ['at a new axis', z(2, 3).at(null, '...', null), [1, 2, 3, 1]],
    ['at everything', z(2, 3).at([], []), [2, 3]],
    ['gather', z(3, 4).gather(1, index(2, 5)), [2, 5]],
    ['indexSelect', z(3, 4).indexSelect(1, index(6)), [3, 6]],
    ['embedding', tl.embedding(index(2, 3), z(10, 4)), [2, 3, 4]],
    ['oneHot', tl.oneHot(index(2), 5), [2, 5]],
    // products
    ['matmul', z(2, 3).matmul(z(3, 4)), [2, 4]],
    ['matmul of vectors', z(3).matmul(z(3)), []],
    ['matmul of a vector and a matrix', z(3).matmul(z(3, 4)), [4]],
    ['matmul of a matrix and a vector', z(2, 3).matmul(z(3)), [2]],
    ['matmul of a batch and a matrix', z(5, 2, 3).matmul(z(3, 4)), [5, 2, 4]],
    ['matmul of a matrix and a batch', z(2, 3).matmul(z(5, 3, 4)), [5, 2, 4]],
    ['matmul of batches', z(5, 1, 2, 3).matmul(z(6, 3, 4)), [5, 6, 2, 4]],
    ['matmul of a batch and a vector', z(5, 2, 3).matmul(z(3)), [5, 2]],
    ['matmul of a vector and a batch', z(3).matmul(z(5, 3, 4)), [5, 4]],
    ['matmul over nothing', z(2, 0).matmul(z(0, 3)), [2, 3]],
    ['dot', z(3).dot(z(3)), []],
    ['outer', z(2).outer(z(3)), [2, 3]],
    ['linear', tl.linear(z(5, 2, 3), z(4, 3), z(4)), [5, 2, 4]],
    ['linear of a vector', tl.linear(z(3), z(4, 3)), [4]],
    // convolution and pooling
    ['conv2d', tl.conv2d(z(1, 3, 8, 8), z(6, 3, 3, 3), z(6)), [1, 6, 6, 6]],
    [
      'conv2d with options',
      tl.conv2d(z(2, 4, 9, 9), z(6, 2, 3, 3), null, { stride: 2, padding: [1, 0], dilation: 2, groups: 2 }),
      [2, 6, 4, 3],
    ],
    ['conv2d same', tl.conv2d(z(1, 1, 7, 7), z(1, 1, 4, 3), null, { padding: 'same' }), [1, 1, 7, 7]],
    ['conv2d without a batch', tl.conv2d(z(3, 8, 8), z(6, 3, 3, 3)), [6, 6, 6]],
    ['conv1d', tl.conv1d(z(2, 3, 10), z(4, 3, 3), z(4), { stride: 2 }), [2, 4, 4]],
    ['conv3d', tl.conv3d(z(1, 1, 4, 4, 4), z(2, 1, 2, 2, 2)), [1, 2, 3, 3, 3]],
    ['maxPool2d', z(1, 3, 8, 9).maxPool2d(2), [1, 3, 4, 4]],
    ['maxPool2d with options', z(1, 3, 8, 8).maxPool2d(3, { stride: 2, padding: 1 }), [1, 3, 4, 4]],
    ['avgPool2d without a batch', z(3, 8, 8).avgPool2d([2, 4]), [3, 4, 2]],
    // activations and losses
    ['softmax', z(2, 3).softmax(0), [2, 3]],
    ['dropout', tl.dropout(z(2, 3), 0.5), [2, 3]],
    ['crossEntropy', tl.crossEntropy(z(4, 3), index(4)), []],
    ['crossEntropy of one row', tl.crossEntropy(z(3), index()), []],
    ['crossEntropy of images', tl.crossEntropy(z(2, 3, 5), index(2, 5), { reduction: 'none' }), [2, 5]],
    ['crossEntropy of probabilities', tl.crossEntropy(z(4, 3), z(4, 3), { reduction: 'none' }), [4]],
    ['crossEntropy with options', tl.crossEntropy(z(4, 3), index(4), { ignoreIndex: 0, labelSmoothing: 0.1 }), []],
    ['nllLoss', tl.nllLoss(z(4, 3), index(4), { reduction: 'sum' }), []],
    ['mseLoss', tl.mseLoss(z(4), z(4), { reduction: 'none' }), [4]],
    ['bceWithLogits', tl.bceWithLogits(z(4), z(4)), []],
  ])('%s', (_, x, expected) => {
    expect(x.shape).toEqual(expected);
  });

  it('gives parts as lists', () => {
    expect(
      z(5, 2)
        .split(2)
        .map((x) => x.shape),
    ).toEqual([
      [2, 2],
      [2, 2],
      [1, 2],
    ]);
    expect(
      z(5, 2)
        .split([1, 4])
        .map((x) => x.shape),
    ).toEqual([
      [1, 2],
      [4, 2],
    ]);
    expect(
      z(5, 2)
        .chunk(3)
        .map((x) => x.shape),
    ).toEqual([
      [2, 2],
      [2, 2],
      [1, 2],
    ]);
    expect(
      z(2, 3)
        .unbind(1)
        .map((x) => x.shape),
    ).toEqual([[2], [2], [2]]);
  });
});

describe('functions and methods', () => {
  it('are the same set', () => {
    const notMethods = new Set(['Tensor', 'concat', 'cat', 'stack']);
    const x = tl.zeros(1) as unknown as Record<string, unknown>;
    for (const name of [
      'add',
      'relu',
      'sum',
      'var',
      'reshape',
      'at',
      'matmul',
      'conv2d',
      'crossEntropy',
      'backward',
      'detach',
    ]) {
      expect(typeof x[name], name).toBe('function');
      expect(typeof (tl as unknown as Record<string, unknown>)[name], name).toBe('function');
    }
    for (const name of notMethods) expect(x[name]).toBeUndefined();
  });
});
