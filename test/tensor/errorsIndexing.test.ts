import * as tl from 'tiller';
import { describe, expect, it } from 'vitest';
import { bools, functions, ints, js, type Mistake, throwsEach, z } from './mistakes.js';

describe('what is no tensor', () => {
  const unary = `take takeAlongDim maskedFill tensorSplit hsplit vsplit dsplit at setAt indexPut scatter scatterAdd scatterReduce
    indexAdd indexCopy indexFill indexReduce fliplr flipud rot90 movedim moveaxis swapaxes ravel view reshapeAs expandAs atleast1d
    atleast2d atleast3d unfold diagonal diagEmbed diag diagflat trace diagonalScatter tril triu repeatInterleave pad combinations
    sort argsort msort topk kthvalue searchsorted bucketize isin histc histogram nonzero maskedSelect unique uniqueConsecutive bincount`;
  throwsEach(
    unary.split(/\s+/).map((op): Mistake => {
      const more = op === 'rot90' ? [1] : op === 'setAt' || op === 'indexPut' ? [[0], 0] : [0, 0, 0];
      return [op, () => functions[op]!(...(op === 'isin' ? ['x', z(1)] : ['x', ...more])), tl.ArgumentError, `[`];
    }),
  );
  const lists = `hstack vstack rowStack dstack columnStack meshgrid`;
  throwsEach(
    lists.split(' ').flatMap((op): Mistake[] => {
      const name = op === 'rowStack' ? 'vstack' : op;
      return [
        [`${op} of nothing`, () => functions[op]!([]), tl.ArgumentError, `[${name}] no tensors given`],
        [`${op} of numbers`, () => functions[op]!([1]), tl.ArgumentError, `[${name}] not a tensor: number`],
      ];
    }),
  );
  throwsEach(
    ['broadcastTensors', 'cartesianProd', 'blockDiag'].flatMap((op): Mistake[] => [
      [`${op} of nothing`, () => functions[op]!(), tl.ArgumentError, `[${op}] no tensors given`],
      [`${op} of numbers`, () => functions[op]!(1), tl.ArgumentError, `[${op}] not a tensor: number`],
    ]),
  );
});

describe('axes out of range', () => {
  const i = () => ints(1);
  throwsEach([
    ['takeAlongDim', () => z(2).takeAlongDim(i(), 1), tl.ShapeError, '[takeAlongDim] axis out of range: 1'],
    ['tensorSplit', () => z(2).tensorSplit(2, 1), tl.ShapeError, '[tensorSplit] axis out of range: 1'],
    ['scatter', () => z(2).scatter(1, i(), 0), tl.ShapeError, '[scatter] axis out of range: 1'],
    ['scatterAdd', () => z(2).scatterAdd(-2, i(), 0), tl.ShapeError, '[scatterAdd] axis out of range: -2'],
    ['scatterReduce', () => z(2).scatterReduce(1, i(), 0, 'sum'), tl.ShapeError, '[scatterReduce] axis out of range'],
    ['indexAdd', () => z(2).indexAdd(1, i(), z(1)), tl.ShapeError, '[indexAdd] axis out of range: 1'],
    ['indexCopy', () => z(2).indexCopy(1, i(), z(1)), tl.ShapeError, '[indexCopy] axis out of range: 1'],
    ['indexFill', () => z(2).indexFill(1, i(), 0), tl.ShapeError, '[indexFill] axis out of range: 1'],
    ['indexReduce', () => z(2).indexReduce(1, i(), z(1), 'sum'), tl.ShapeError, '[indexReduce] axis out of range: 1'],
    ['rot90', () => z(2, 2).rot90(1, [0, 2]), tl.ShapeError, '[rot90] axis out of range: 2'],
    ['movedim', () => z(2, 2).movedim(0, 2), tl.ShapeError, '[movedim] axis out of range: 2'],
    ['unfold', () => z(2).unfold(1, 1, 1), tl.ShapeError, '[unfold] axis out of range: 1'],
    ['diagonal', () => z(2, 2).diagonal(0, 0, 2), tl.ShapeError, '[diagonal] axis out of range: 2'],
    ['diagEmbed', () => z(2).diagEmbed(0, 0, 2), tl.ShapeError, '[diagEmbed] axis out of range: 2'],
    ['repeatInterleave', () => z(2).repeatInterleave(2, 1), tl.ShapeError, '[repeatInterleave] axis out of range: 1'],
    ['sort', () => z(2).sort(1), tl.ShapeError, '[sort] axis out of range: 1'],
    ['argsort', () => z(2).argsort(-2), tl.ShapeError, '[argsort] axis out of range: -2'],
    ['topk', () => z(2).topk(1, 1), tl.ShapeError, '[topk] axis out of range: 1'],
    ['kthvalue', () => z(2).kthvalue(1, 1), tl.ShapeError, '[kthvalue] axis out of range: 1'],
    ['unique', () => z(2).unique({ dim: 1 }), tl.ShapeError, '[unique] axis out of range: 1'],
    [
      'uniqueConsecutive',
      () => z(2).uniqueConsecutive({ dim: 1 }),
      tl.ShapeError,
      '[uniqueConsecutive] axis out of range: 1',
    ],
  ]);
});

describe('ranks and shapes that do not fit', () => {
  throwsEach([
    ['at of axes', () => z(2, 3).at(ints(1), ints(1), ints(1)), tl.ShapeError, '[at] 3 indices for 2 axes of [2, 3]'],
    ['at of lists', () => z(2, 3).at(ints(2), ints(3)), tl.ShapeError, '[at] shapes do not broadcast: [2] and [3]'],
    ['at of an empty axis', () => z(0, 3).at(ints(2)), tl.ArgumentError, '[at] index out of range: axis 0 of [0, 3]'],
    ['at of a mask', () => z(2, 3).at({ mask: bools(3), size: 1 }), tl.ShapeError, '[at] mask is bool [3]'],
    ['setAt of shape', () => z(2, 3).setAt([0], z(2)), tl.ShapeError, '[setAt] value is [2] (expected to broadcast to'],
    ['setAt of lists', () => z(3).setAt([ints(2)], z(3)), tl.ShapeError, '[setAt] value is [3]'],
    ['setAt under a mask', () => z(2, 3).setAt([bools(2)], z(2, 3)), tl.ShapeError, '[setAt] value is [2, 3]'],
    [
      'setAt of a mask',
      () => z(2, 3).setAt([bools(3)], 0),
      tl.ShapeError,
      '[setAt] mask is bool [3] (expected bool [2])',
    ],
    ['indexPut', () => z(2, 3).indexPut([ints(1)], z(2)), tl.ShapeError, '[indexPut] value is [2]'],
    ['takeAlongDim', () => z(2, 3).takeAlongDim(ints(3, 1), 1), tl.ShapeError, '[takeAlongDim] index [3, 1] does not'],
    [
      'takeAlongDim of rank',
      () => z(2, 3).takeAlongDim(ints(3), 1),
      tl.ShapeError,
      '[takeAlongDim] index [3] does not',
    ],
    [
      'maskedFill',
      () => z(2, 3).maskedFill(bools(2), 0),
      tl.ShapeError,
      '[maskedFill] shapes do not broadcast: [2, 3]',
    ],
    ['maskedFill by a vector', () => z(2).maskedFill(bools(2), z(2)), tl.ShapeError, '[maskedFill] value is [2]'],
    ['maskedSelect', () => z(2, 3).maskedSelect(bools(2)), tl.ShapeError, '[maskedSelect] shapes do not broadcast'],
    ['hsplit', () => z().hsplit(1), tl.ShapeError, '[hsplit] rank is 0'],
    ['hsplit unevenly', () => z(3).hsplit(2), tl.ShapeError, '[hsplit] 2 sections do not divide axis 0 of [3]'],
    ['vsplit', () => z(2).vsplit(1), tl.ShapeError, '[vsplit] rank is 1'],
    ['dsplit', () => z(2, 2).dsplit(1), tl.ShapeError, '[dsplit] rank is 2'],
    ['scatter of rank', () => z(2, 3).scatter(0, ints(2), 0), tl.ShapeError, '[scatter] index [2] does not fit [2, 3]'],
    ['scatter of size', () => z(2, 3).scatter(0, ints(1, 4), 0), tl.ShapeError, '[scatter] index [1, 4] does not fit'],
    [
      'scatter of src',
      () => z(2, 3).scatter(0, ints(1, 3), z(1, 2)),
      tl.ShapeError,
      '[scatter] src [1, 2] is smaller than index [1, 3]',
    ],
    ['scatterAdd of src', () => z(3).scatterAdd(0, ints(2), z(1)), tl.ShapeError, '[scatterAdd] src [1] is smaller'],
    ['indexAdd of index', () => z(3).indexAdd(0, ints(1, 1), z(1)), tl.ShapeError, '[indexAdd] index is not a vector'],
    [
      'indexAdd',
      () => z(3, 2).indexAdd(0, ints(2), z(3, 2)),
      tl.ShapeError,
      '[indexAdd] source is [3, 2] (expected [2, 2])',
    ],
    ['indexCopy', () => z(3).indexCopy(0, ints(2), z(1)), tl.ShapeError, '[indexCopy] source is [1] (expected [2])'],
    ['indexReduce', () => z(3).indexReduce(0, ints(2), z(1), 'mean'), tl.ShapeError, '[indexReduce] source is [1]'],
    ['indexFill', () => z(3).indexFill(0, ints(2), z(2)), tl.ShapeError, '[indexFill] value is [2] (expected [])'],
    ['indexFill of index', () => z(3).indexFill(0, ints(1, 1), 0), tl.ShapeError, '[indexFill] index is not a vector'],
    [
      'selectScatter',
      () => z(3, 2).selectScatter(z(3), 0, 1),
      tl.ShapeError,
      '[selectScatter] src is [3] (expected [2])',
    ],
    [
      'sliceScatter',
      () => z(3, 2).sliceScatter(z(3, 2), 0, 1),
      tl.ShapeError,
      '[sliceScatter] src is [3, 2] (expected [2, 2])',
    ],
    ['sliceScatter axis', () => z(3).sliceScatter(z(3), 1), tl.ShapeError, '[sliceScatter] axis out of range: 1'],
    [
      'selectScatter index',
      () => z(3).selectScatter(z(), 0, 3),
      tl.ArgumentError,
      '[selectScatter] index out of range: 3',
    ],
    ['selectScatter dtype', () => z(3).selectScatter(ints(), 0, 0), tl.DTypeError, '[selectScatter] source is i32'],
    [
      'maskedScatter',
      () => z(3).maskedScatter(bools(2), z(3)),
      tl.ShapeError,
      '[maskedScatter] shapes do not broadcast',
    ],
    [
      'maskedScatter of more',
      () => z(3).maskedScatter(bools(2, 3), z(3)),
      tl.ShapeError,
      '[maskedScatter] mask [2, 3] is larger',
    ],
    [
      'maskedScatter mask',
      () => z(3).maskedScatter(ints(3), z(3)),
      tl.DTypeError,
      '[maskedScatter] dtype not allowed: i32',
    ],
    [
      'maskedScatter source',
      () => z(3).maskedScatter(bools(3), ints(3)),
      tl.DTypeError,
      '[maskedScatter] source is i32',
    ],
    ['fliplr', () => z(2).fliplr(), tl.ShapeError, '[fliplr] rank is 1'],
    ['flipud', () => z().flipud(), tl.ShapeError, '[flipud] rank is 0'],
    ['rot90', () => z(2, 2).rot90(1, [0, 0]), tl.ShapeError, '[rot90] dims are [0, 0]'],
    ['movedim', () => z(2, 2).movedim([0, 1], [0]), tl.ShapeError, '[movedim] axes do not pair: [0, 1] to [0]'],
    ['movedim twice', () => z(2, 2).movedim([0, 0], [0, 1]), tl.ShapeError, '[movedim] axes do not pair: [0, 0] to'],
    ['unfold', () => z(3).unfold(0, 4, 1), tl.ShapeError, '[unfold] size 4 is more than axis 0 of [3]'],
    ['diagonal', () => z(3).diagonal(), tl.ShapeError, '[diagonal] rank is 1'],
    ['diagonal of one axis', () => z(3, 3).diagonal(0, 1, 1), tl.ShapeError, '[diagonal] one axis twice: 1 and 1'],
    ['diagEmbed', () => z().diagEmbed(), tl.ShapeError, '[diagEmbed] rank is 0'],
    ['diag', () => z(1, 1, 1).diag(), tl.ShapeError, '[diag] rank is 3'],
    ['trace', () => z(3).trace(), tl.ShapeError, '[trace] not a matrix: [3]'],
    [
      'diagonalScatter',
      () => z(3, 3).diagonalScatter(z(2)),
      tl.ShapeError,
      '[diagonalScatter] src is [2] (expected [3])',
    ],
    ['repeatInterleave', () => z(3).repeatInterleave([1, 2], 0), tl.ShapeError, '[repeatInterleave] counts are [2]'],
    [
      'hstack',
      () => tl.hstack([z(2, 3), z(3, 3)]),
      tl.ShapeError,
      '[hstack] shapes differ off axis 1: [2, 3] and [3, 3]',
    ],
    ['vstack', () => tl.vstack([z(2), z(3)]), tl.ShapeError, '[vstack] shapes differ off axis 0: [1, 2] and [1, 3]'],
    ['dstack', () => tl.dstack([z(2), z(3)]), tl.ShapeError, '[dstack] shapes differ off axis 2'],
    ['columnStack', () => tl.columnStack([z(2), z(3)]), tl.ShapeError, '[columnStack] shapes differ off axis 1'],
    ['broadcastTensors', () => tl.broadcastTensors(z(2), z(3)), tl.ShapeError, '[broadcastTensors] shapes do not'],
    ['meshgrid', () => tl.meshgrid([z(2, 2)]), tl.ShapeError, '[meshgrid] not a vector: [2, 2]'],
    ['cartesianProd', () => tl.cartesianProd(z(2), z(2, 2)), tl.ShapeError, '[cartesianProd] not a vector: [2, 2]'],
    ['blockDiag', () => tl.blockDiag(z(1, 1, 1)), tl.ShapeError, '[blockDiag] not a matrix: [1, 1, 1]'],
    ['combinations', () => z(2, 2).combinations(), tl.ShapeError, '[combinations] not a vector: [2, 2]'],
    ['trilIndices', () => tl.trilIndices(-1), tl.ShapeError, '[trilIndices] invalid shape: [-1, -1]'],
    ['searchsorted', () => tl.searchsorted(z(), z(2)), tl.ShapeError, '[searchsorted] the sequence is a single number'],
    [
      'searchsorted lines',
      () => tl.searchsorted(z(2, 3), z(3, 3)),
      tl.ShapeError,
      '[searchsorted] sequence [2, 3] and',
    ],
    [
      'searchsorted sorter',
      () => tl.searchsorted(z(3), z(3), { sorter: ints(2) }),
      tl.ShapeError,
      '[searchsorted] sorter is [2] (expected [3])',
    ],
    ['bucketize', () => z(3).bucketize(z(2, 2)), tl.ShapeError, '[bucketize] boundaries are not a vector: [2, 2]'],
    ['bincount', () => ints(2, 2).bincount(), tl.ShapeError, '[bincount] rank is 2'],
    ['bincount weights', () => ints(2).bincount(z(3)), tl.ShapeError, '[bincount] weights are [3] (expected [2])'],
    ['histogram weight', () => z(2).histogram(3, { weight: z(3) }), tl.ShapeError, '[histogram] weight is [3]'],
    ['histogram edges', () => z(2).histogram(z(1)), tl.ShapeError, '[histogram] bin edges are [1]'],
  ]);
});

describe('dtypes that do not fit', () => {
  const f = () => z(1);
  throwsEach([
    ['at', () => z(2).at(f()), tl.DTypeError, '[at] index is f32'],
    ['at of a mask of numbers', () => z(2).at({ mask: ints(2), size: 1 }), tl.ShapeError, '[at] mask is i32 [2]'],
    ['setAt', () => z(2).setAt([f()], 0), tl.DTypeError, '[setAt] index is f32'],
    ['setAt of a fraction', () => ints(2).setAt([0], 0.5), tl.DTypeError, '[setAt] value is 0.5 (expected i32)'],
    ['setAt of f32', () => ints(2).setAt([0], z()), tl.DTypeError, '[setAt] value is f32 (expected i32)'],
    ['indexPut', () => z(2).indexPut([f()], 0), tl.DTypeError, '[indexPut] index is f32'],
    ['take', () => z(2).take(f()), tl.DTypeError, '[take] index is f32'],
    ['takeAlongDim', () => z(2).takeAlongDim(f(), 0), tl.DTypeError, '[takeAlongDim] index is f32'],
    ['maskedFill', () => z(2).maskedFill(ints(2), 0), tl.DTypeError, '[maskedFill] dtype not allowed: i32'],
    ['maskedFill value', () => ints(2).maskedFill(bools(2), 0.5), tl.DTypeError, '[maskedFill] value is 0.5'],
    ['maskedSelect', () => z(2).maskedSelect(ints(2)), tl.DTypeError, '[maskedSelect] dtype not allowed: i32'],
    ['scatter', () => z(2).scatter(0, f(), 0), tl.DTypeError, '[scatter] index is f32'],
    [
      'scatter of src',
      () => z(2).scatter(0, ints(1), ints(1)),
      tl.DTypeError,
      '[scatter] source is i32 (expected f32)',
    ],
    [
      'scatterAdd of bool',
      () => bools(2).scatterAdd(0, ints(1), 1),
      tl.DTypeError,
      '[scatterAdd] dtype not allowed: bool',
    ],
    [
      'scatterReduce of bool',
      () => bools(2).scatterReduce(0, ints(1), 1, 'sum'),
      tl.DTypeError,
      '[scatterReduce] dtype',
    ],
    ['indexAdd', () => z(2).indexAdd(0, f(), z(1)), tl.DTypeError, '[indexAdd] index is f32'],
    ['indexAdd of source', () => z(2).indexAdd(0, ints(1), ints(1)), tl.DTypeError, '[indexAdd] source is i32'],
    ['indexCopy', () => z(2).indexCopy(0, f(), z(1)), tl.DTypeError, '[indexCopy] index is f32'],
    ['indexFill', () => z(2).indexFill(0, f(), 0), tl.DTypeError, '[indexFill] index is f32'],
    [
      'repeatInterleave',
      () => z(1).repeatInterleave(f(), 0, { outputSize: 1 }),
      tl.DTypeError,
      '[repeatInterleave] index',
    ],
    [
      'searchsorted of bool',
      () => tl.searchsorted(bools(2), bools(1)),
      tl.DTypeError,
      '[searchsorted] dtype not allowed',
    ],
    ['searchsorted sorter', () => tl.searchsorted(z(1), z(1), { sorter: f() }), tl.DTypeError, '[searchsorted] index'],
    ['bincount', () => z(2).bincount(), tl.DTypeError, '[bincount] index is f32'],
  ]);
});

describe('other arguments out of their domain', () => {
  throwsEach([
    ['at text', () => z(2).at(js('x')), tl.ArgumentError, '[at] not an index: string'],
    ['at past the end', () => z(2, 3).at(ints(1), 3), tl.ArgumentError, '[at] index out of range: 3 on axis 1'],
    ['at a step of 0', () => z(2).at([0, 2, 0]), tl.ArgumentError, '[at] step is 0'],
    ['at a size', () => z(2).at({ mask: bools(2), size: -1 }), tl.ArgumentError, '[at] size is -1'],
    ['at a mask', () => z(2).at(bools(2)), tl.UnsupportedError, '[at] the shape depends on data: a bool mask'],
    ['setAt without a list', () => z(2).setAt(js(0), 0), tl.ArgumentError, '[setAt] the indices are no list'],
    ['setAt of text', () => z(2).setAt([0], js('x')), tl.ArgumentError, '[setAt] not an operand: string'],
    ['setAt of a mask and a list', () => z(2, 2).setAt([bools(2), ints(1)], 0), tl.UnsupportedError, '[setAt] a mask'],
    [
      'setAt that adds bools',
      () => bools(2).setAt([0], 1, { accumulate: true }),
      tl.UnsupportedError,
      '[setAt] accumulate',
    ],
    ['indexPut of numbers', () => z(2).indexPut([js(0)], 0), tl.ArgumentError, '[indexPut] not a tensor: number'],
    [
      'scatterReduce',
      () => z(2).scatterReduce(0, ints(1), 0, js('max')),
      tl.ArgumentError,
      '[scatterReduce] reduce is max',
    ],
    [
      'indexReduce',
      () => z(2).indexReduce(0, ints(1), z(1), js('max')),
      tl.ArgumentError,
      '[indexReduce] reduce is max',
    ],
    ['tensorSplit', () => z(2).tensorSplit(0), tl.ArgumentError, '[tensorSplit] sections is 0'],
    ['tensorSplit at a fraction', () => z(2).tensorSplit([0.5]), tl.ArgumentError, '[tensorSplit] index is 0.5'],
    ['rot90', () => z(2, 2).rot90(0.5), tl.ArgumentError, '[rot90] k is 0.5'],
    ['unfold', () => z(2).unfold(0, 0, 1), tl.ArgumentError, '[unfold] size is 0'],
    ['unfold step', () => z(2).unfold(0, 1, 0), tl.ArgumentError, '[unfold] step is 0'],
    ['diagonal', () => z(2, 2).diagonal(0.5), tl.ArgumentError, '[diagonal] offset is 0.5'],
    ['diagEmbed', () => z(2).diagEmbed(0.5), tl.ArgumentError, '[diagEmbed] offset is 0.5'],
    ['pad mode', () => z(2).pad([1, 1], { mode: js('mirror') }), tl.ArgumentError, '[pad] mode is mirror'],
    [
      'pad reflect',
      () => z(2).pad([2, 0], { mode: 'reflect' }),
      tl.ArgumentError,
      '[pad] too much for mode reflect: 2, 0',
    ],
    [
      'pad circular',
      () => z(2).pad([0, 3], { mode: 'circular' }),
      tl.ArgumentError,
      '[pad] too much for mode circular',
    ],
    [
      'pad of nothing',
      () => z(0).pad([1, 0], { mode: 'replicate' }),
      tl.ArgumentError,
      '[pad] too much for mode replicate',
    ],
    ['meshgrid', () => tl.meshgrid([z(2)], { indexing: js('yx') }), tl.ArgumentError, '[meshgrid] indexing is yx'],
    ['combinations', () => z(2).combinations(-1), tl.ArgumentError, '[combinations] r is -1'],
    ['repeatInterleave', () => z(2).repeatInterleave([1, -1], 0), tl.ArgumentError, '[repeatInterleave] count is -1'],
    ['repeatInterleave of a tensor', () => z(2).repeatInterleave(ints(2), 0), tl.UnsupportedError, '{ outputSize }'],
    ['topk', () => z(2).topk(3), tl.ArgumentError, '[topk] k is 3 (axis 0 of [2] has 2 elements)'],
    ['topk negative', () => z(2).topk(-1), tl.ArgumentError, '[topk] k is -1'],
    ['topk of a number', () => z().topk(0), tl.ArgumentError, '[topk] k is 0'],
    ['kthvalue', () => z(2).kthvalue(0), tl.ArgumentError, '[kthvalue] k is 0'],
    [
      'kthvalue of nothing',
      () => z(0).kthvalue(1),
      tl.ArgumentError,
      '[kthvalue] k is 1 (axis 0 of [0] has 0 elements)',
    ],
    [
      'searchsorted',
      () => tl.searchsorted(z(1), z(1), { side: 'left', right: true }),
      tl.ArgumentError,
      '[searchsorted] side is left and right is true',
    ],
    ['histc bins', () => z(2).histc({ bins: 0 }), tl.ArgumentError, '[histc] bins is 0'],
    ['histc bounds', () => z(2).histc({ min: 2, max: 1 }), tl.ArgumentError, '[histc] bounds 2 and 1'],
    [
      'histogram',
      () => z(2).histogram(3, { range: [0, Infinity] }),
      tl.ArgumentError,
      '[histogram] bounds 0 and Infinity',
    ],
    ['bincount', () => ints(2).bincount(null, { minlength: -1 }), tl.ArgumentError, '[bincount] minlength is -1'],
    ['nonzero', () => z(2).nonzero({ size: -1 }), tl.ArgumentError, '[nonzero] size is -1'],
    ['unique', () => tl.unique(z(2), js({ size: 1, dim: 0 })), tl.ArgumentError, '[unique] size and dim'],
  ]);

  it('bincount rejects negative elements', async () => {
    await expect(tl.tensor(Int32Array.of(1, -2)).bincount()).rejects.toThrow('[bincount] negative element: -2');
  });
});

describe('shapes that depend on data', () => {
  const inside = (f: (x: tl.Tensor) => unknown) => () =>
    tl.grad((x: tl.Tensor) => {
      f(x);
      return x.sum();
    })(tl.tensor([1, 0, 2]));
  throwsEach(
    (
      [
        ['nonzero', (x) => x.nonzero()],
        ['nonzero', (x) => tl.argwhere(x)],
        ['nonzero', (x) => tl.where(x)],
        ['maskedSelect', (x) => x.maskedSelect(x.gt(0))],
        ['unique', (x) => x.unique()],
        ['uniqueConsecutive', (x) => x.uniqueConsecutive()],
        ['bincount', (x) => x.cast('i32').bincount()],
      ] as [string, (x: tl.Tensor) => unknown][]
    ).map(
      ([op, f], i): Mistake => [
        `${op} ${i}`,
        inside(f),
        tl.UnsupportedError,
        `[${op}] the shape depends on data, inside grad`,
      ],
    ),
  );

  it('are refused inside compile too', () => {
    const chosen = tl.compile((x: tl.Tensor) => {
      x.nonzero();
      return x;
    });
    expect(() => chosen(tl.tensor([1, 0]))).toThrow('[nonzero] the shape depends on data, inside compile');
  });

  it('come at once inside grad where the size is given', async () => {
    const chosen = tl.grad((x: tl.Tensor) =>
      x
        .maskedSelect(x.gt(0), { size: 3 })
        .mul(tl.tensor([1, 10, 100]))
        .sum(),
    );
    expect([...(await chosen(tl.tensor([3, -1, 2])).data())]).toEqual([1, 0, 10]);
    const picked = tl.grad((x: tl.Tensor) =>
      x
        .at({ mask: x.gt(0), size: 2 })
        .square()
        .sum(),
    );
    expect([...(await picked(tl.tensor([3, -1, 2])).data())]).toEqual([6, 0, 4]);
  });

  it('are promised again after a failure inside grad', async () => {
    expect(inside((x) => x.unique())).toThrow(tl.UnsupportedError);
    await expect(tl.tensor([1, 0]).nonzero()).resolves.toBeInstanceOf(tl.Tensor);
  });
});
