import * as tl from 'tiller';
import { describe, expect, it } from 'vitest';

const z = (...shape: number[]) => tl.zeros(shape);
const ints = (...shape: number[]) => tl.zeros(shape, { dtype: 'i32' });
const bools = (...shape: number[]) => tl.zeros(shape, { dtype: 'bool' });
// biome-ignore lint/suspicious/noExplicitAny: what a JavaScript user may pass
const js = (value: unknown): any => value;

type ErrorClass = new (message: string) => Error;
type Case = [what: string, call: () => unknown, type: ErrorClass, message: string];

function throwsEach(cases: readonly Case[]): void {
  it.each(cases)('%s', (_, call, type, message) => {
    let error: unknown = null;
    try {
      call();
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(type);
    expect(error).toBeInstanceOf(tl.TillerError);
    expect((error as Error).name).toBe(type.name);
    expect((error as Error).message).toContain(message);
  });
}

describe('shape mistakes name the op and both shapes', () => {
  const operators = [
    'add',
    'sub',
    'mul',
    'div',
    'floorDivide',
    'remainder',
    'fmod',
    'pow',
    'maximum',
    'minimum',
    'atan2',
  ] as const;
  const comparisons = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'logicalAnd', 'logicalOr', 'logicalXor'] as const;
  throwsEach(
    [...operators, ...comparisons].map((op): Case => {
      const swapped = op === 'gt' || op === 'ge';
      const shapes = swapped ? '[3] and [2]' : '[2] and [3]';
      return [op, () => z(2)[op](z(3)), tl.ShapeError, `[${op}] shapes do not broadcast: ${shapes}`];
    }),
  );
  throwsEach([
    [
      'bitwiseAnd',
      () => ints(2).bitwiseAnd(ints(3)),
      tl.ShapeError,
      '[bitwiseAnd] shapes do not broadcast: [2] and [3]',
    ],
    ['where', () => tl.where(bools(2), z(3), 0), tl.ShapeError, '[where] shapes do not broadcast: [2] and [3]'],
    ['clamp', () => z(2).clamp(z(3)), tl.ShapeError, '[clamp] shapes do not broadcast: [2] and [3]'],
    [
      'matmul',
      () => z(2, 3).matmul(z(4, 5)),
      tl.ShapeError,
      '[matmul] inner dimensions differ: [2, 3] x [4, 5] (3 against 4)',
    ],
    [
      'matmul of vectors',
      () => z(2).matmul(z(3)),
      tl.ShapeError,
      '[matmul] inner dimensions differ: [2] x [3] (2 against 3)',
    ],
    ['matmul of a batch and a vector', () => z(5, 2, 3).matmul(z(2)), tl.ShapeError, '[5, 2, 3] x [2] (3 against 2)'],
    [
      'matmul of batches',
      () => z(2, 2, 3).matmul(z(4, 3, 5)),
      tl.ShapeError,
      '[matmul] shapes do not broadcast: [2] and [4]',
    ],
    ['matmul of a number', () => z().matmul(z(2)), tl.ShapeError, '[matmul] a single number is no matrix: [] x [2]'],
    ['dot', () => z(2, 2).dot(z(2)), tl.ShapeError, '[dot] not two vectors: [2, 2] and [2]'],
    ['dot of lengths', () => z(3).dot(z(2)), tl.ShapeError, '[dot] inner dimensions differ: [3] x [2]'],
    ['outer', () => z(2, 2).outer(z(2)), tl.ShapeError, '[outer] not two vectors: [2, 2] and [2]'],
    [
      'linear',
      () => tl.linear(z(2, 3), z(5, 4)),
      tl.ShapeError,
      '[linear] features do not fit: input [2, 3], weight [5, 4]',
    ],
    ['linear weight', () => tl.linear(z(2, 3), z(3)), tl.ShapeError, '[linear] weight is not a matrix: [3]'],
    ['linear bias', () => tl.linear(z(2, 3), z(5, 3), z(3)), tl.ShapeError, '[linear] bias is [3] (expected [5])'],
    ['sum', () => z(2, 3).sum(2), tl.ShapeError, '[sum] axis out of range: 2 (rank 2, expected -2..1)'],
    ['mean', () => z(2, 3).mean(-3), tl.ShapeError, '[mean] axis out of range: -3'],
    ['max', () => z(2, 3).max([0, 0]), tl.ShapeError, '[max] axis repeated: [0, 0]'],
    ['var', () => z(2).var(1), tl.ShapeError, '[var] axis out of range: 1'],
    ['logsumexp', () => z(2).logsumexp(1), tl.ShapeError, '[logsumexp] axis out of range: 1'],
    ['argmax', () => z(2).argmax(1), tl.ShapeError, '[argmax] axis out of range: 1'],
    ['argmax of nothing', () => z(0).argmax(), tl.ShapeError, '[argmax] axis 0 of [0] is empty'],
    [
      'reshape',
      () => z(2, 3).reshape(4),
      tl.ShapeError,
      '[reshape] sizes differ: [2, 3] to [4] (6 elements against 4)',
    ],
    [
      'reshape inferred',
      () => z(2, 3).reshape(4, -1),
      tl.ShapeError,
      '[reshape] length cannot be inferred: [2, 3] to [4, -1]',
    ],
    ['reshape inferred twice', () => z(2, 3).reshape(-1, -1), tl.ShapeError, '[reshape] more than one -1: [-1, -1]'],
    ['reshape to negative', () => z(2).reshape(-2), tl.ShapeError, '[reshape] invalid shape: [-2]'],
    ['flatten', () => z(2, 3).flatten(1, 0), tl.ShapeError, '[flatten] axes in the wrong order: 1 to 0'],
    ['unflatten', () => z(6).unflatten(0, [2, 2]), tl.ShapeError, '[unflatten] sizes differ: axis 0 of [6] to [2, 2]'],
    ['squeeze', () => z(1).squeeze(1), tl.ShapeError, '[squeeze] axis out of range: 1'],
    ['unsqueeze', () => z(1).unsqueeze(3), tl.ShapeError, '[unsqueeze] axis out of range: 3'],
    ['permute', () => z(2, 3).permute(0, 0), tl.ShapeError, '[permute] not a permutation of 2 axes: [0, 0]'],
    ['permute of some', () => z(2, 3).permute(0), tl.ShapeError, '[permute] not a permutation of 2 axes: [0]'],
    ['transpose', () => z(2, 3).transpose(0, 2), tl.ShapeError, '[transpose] axis out of range: 2'],
    ['t', () => z(2, 3, 4).t(), tl.ShapeError, '[t] rank is 3: [2, 3, 4]'],
    ['expand', () => z(2, 3).expand(2, 4), tl.ShapeError, '[expand] cannot expand [2, 3] to [2, 4]'],
    ['expand to less', () => z(2, 3).expand(3), tl.ShapeError, '[expand] cannot expand [2, 3] to [3]'],
    ['broadcastTo', () => z(2).broadcastTo([2, 3]), tl.ShapeError, '[broadcastTo] cannot expand [2] to [2, 3]'],
    ['repeat', () => z(2, 3).repeat(2), tl.ShapeError, '[repeat] counts [2] do not fit [2, 3]'],
    ['flip', () => z(2).flip(1), tl.ShapeError, '[flip] axis out of range: 1'],
    ['roll', () => z(2).roll(1, 1), tl.ShapeError, '[roll] axis out of range: 1'],
    ['tril', () => z(2).tril(), tl.ShapeError, '[tril] rank is 1 (expected 2 or more)'],
    ['triu', () => z(2).triu(), tl.ShapeError, '[triu] rank is 1'],
    ['pad', () => z(2).pad([1, 1, 1, 1]), tl.ShapeError, '[pad] 2 pairs for 1 axes'],
    [
      'pad that crops too much',
      () => z(2).pad([-2, -1]),
      tl.ShapeError,
      '[pad] crops more than there is: -2, -1 on axis 0 of [2]',
    ],
    [
      'concat',
      () => tl.concat([z(2, 3), z(2, 4)]),
      tl.ShapeError,
      '[concat] shapes differ off axis 0: [2, 3] and [2, 4]',
    ],
    [
      'concat of ranks',
      () => tl.concat([z(2), z(2, 1)]),
      tl.ShapeError,
      '[concat] shapes differ off axis 0: [2] and [2, 1]',
    ],
    ['concat of numbers', () => tl.concat([z(), z()]), tl.ShapeError, '[concat] axis out of range: 0'],
    ['stack', () => tl.stack([z(2), z(3)]), tl.ShapeError, '[stack] shapes differ: [2] and [3]'],
    ['split', () => z(5).split([2, 2]), tl.ShapeError, '[split] sizes [2, 2] add up to 4 (axis 0 of [5])'],
    ['narrow', () => z(5).narrow(0, 3, 3), tl.ShapeError, '[narrow] out of range: 3 and 3 more on axis 0 of [5]'],
    ['slice', () => z(5).slice(1), tl.ShapeError, '[slice] axis out of range: 1'],
    ['at', () => z(5).at(0, 0), tl.ShapeError, '[at] 2 indices for 1 axes of [5]'],
    ['gather', () => z(3, 4).gather(0, ints(2)), tl.ShapeError, '[gather] ranks do not fit: [3, 4], index [2], axis 0'],
    [
      'gather of more',
      () => z(3, 4).gather(0, ints(2, 5)),
      tl.ShapeError,
      '[gather] index [2, 5] is larger than [3, 4] off axis 0',
    ],
    [
      'indexSelect',
      () => z(3).indexSelect(0, ints(1, 1)),
      tl.ShapeError,
      '[indexSelect] index is not a vector: [1, 1]',
    ],
    ['embedding', () => tl.embedding(ints(2), z(3)), tl.ShapeError, '[embedding] weight is not a matrix: [3]'],
    [
      'conv2d ranks',
      () => tl.conv2d(z(8, 8), z(1, 1, 3, 3)),
      tl.ShapeError,
      '[conv2d] ranks do not fit: input [8, 8], weight [1, 1, 3, 3]',
    ],
    [
      'conv2d channels',
      () => tl.conv2d(z(1, 3, 8, 8), z(6, 4, 3, 3)),
      tl.ShapeError,
      '[conv2d] channels do not fit: input [1, 3, 8, 8], weight [6, 4, 3, 3], groups 1',
    ],
    [
      'conv2d groups',
      () => tl.conv2d(z(1, 4, 8, 8), z(3, 2, 3, 3), null, { groups: 2 }),
      tl.ShapeError,
      '[conv2d] channels do not fit',
    ],
    [
      'conv2d bias',
      () => tl.conv2d(z(1, 3, 8, 8), z(6, 3, 3, 3), z(3)),
      tl.ShapeError,
      '[conv2d] bias is [3] (expected [6])',
    ],
    [
      'conv2d size',
      () => tl.conv2d(z(1, 1, 2, 8), z(1, 1, 3, 3)),
      tl.ShapeError,
      '[conv2d] kernel does not fit: input [1, 1, 2, 8], weight [1, 1, 3, 3] (it spans 3 of 2 on spatial axis 0)',
    ],
    ['conv1d ranks', () => tl.conv1d(z(1, 1, 8, 8), z(1, 1, 3)), tl.ShapeError, '[conv1d] ranks do not fit'],
    ['maxPool2d', () => z(1, 1, 2, 2).maxPool2d(3), tl.ShapeError, '[maxPool2d] window does not fit: [1, 1, 2, 2]'],
    ['avgPool2d', () => z(2, 2).avgPool2d(2), tl.ShapeError, '[avgPool2d] rank is 2: [2, 2]'],
    ['softmax', () => z(2).softmax(1), tl.ShapeError, '[softmax] axis out of range: 1'],
    ['logSoftmax', () => z().logSoftmax(), tl.ShapeError, '[logSoftmax] axis out of range: -1'],
    [
      'crossEntropy',
      () => z(4, 3).crossEntropy(ints(3)),
      tl.ShapeError,
      '[crossEntropy] labels do not fit: input [4, 3], labels [3] (expected [4])',
    ],
    [
      'crossEntropy of probabilities',
      () => z(4, 3).crossEntropy(z(4)),
      tl.ShapeError,
      '[crossEntropy] shapes differ: input [4, 3], target [4]',
    ],
    [
      'crossEntropy of a number',
      () => z().crossEntropy(ints()),
      tl.ShapeError,
      '[crossEntropy] input is a single number',
    ],
    ['nllLoss', () => z(4, 3).nllLoss(ints(4, 3)), tl.ShapeError, '[nllLoss] labels do not fit'],
    ['mseLoss', () => z(4).mseLoss(z(4, 1)), tl.ShapeError, '[mseLoss] shapes differ: input [4], target [4, 1]'],
    [
      'bceWithLogits',
      () => z(4).bceWithLogits(z(3)),
      tl.ShapeError,
      '[binaryCrossEntropyWithLogits] shapes differ: input [4], target [3]',
    ],
    [
      'backward',
      () => tl.ones(2, { requiresGrad: true }).backward(),
      tl.ShapeError,
      '[backward] not a single number: [2]',
    ],
    [
      'backward gradient',
      () => tl.ones(2, { requiresGrad: true }).backward(z(3)),
      tl.ShapeError,
      '[backward] gradient is [3] (expected [2])',
    ],
    ['grad', () => tl.grad((x: tl.Tensor) => x)(z(2)), tl.ShapeError, '[grad] the function returned [2]'],
  ]);
});

describe('dtype mistakes name the op and the dtype', () => {
  throwsEach([
    ['neg', () => bools(2).neg(), tl.DTypeError, '[neg] dtype not allowed: bool'],
    ['abs', () => bools(2).abs(), tl.DTypeError, '[abs] dtype not allowed: bool'],
    ['floor', () => bools(2).floor(), tl.DTypeError, '[floor] dtype not allowed: bool'],
    ['relu', () => bools(2).relu(), tl.DTypeError, '[relu] dtype not allowed: bool'],
    ['bitwiseAnd', () => z(2).bitwiseAnd(1), tl.DTypeError, '[bitwiseAnd] dtype not allowed: f32'],
    ['bitwiseNot', () => z(2).bitwiseNot(), tl.DTypeError, '[bitwiseNot] dtype not allowed: f32'],
    [
      'bitwiseLeftShift',
      () => bools(2).bitwiseLeftShift(bools(2)),
      tl.DTypeError,
      '[bitwiseLeftShift] dtype not allowed: bool',
    ],
    ['where', () => tl.where(z(2), 1, 0), tl.DTypeError, '[where] dtype not allowed: f32 (expected bool)'],
    ['cast', () => z(2).cast(js('f64')), tl.DTypeError, '[cast] unknown dtype: f64'],
    ['promoteTypes', () => tl.promoteTypes('f32', js('f64')), tl.DTypeError, '[promoteTypes] unknown dtype: f64'],
    ['canCast', () => tl.canCast(js('i64'), 'f32'), tl.DTypeError, '[canCast] unknown dtype: i64'],
    ['resultType', () => tl.resultType(1, 2), tl.ArgumentError, '[resultType] only numbers given'],
    ['matmul', () => bools(2, 2).matmul(bools(2, 2)), tl.DTypeError, '[matmul] dtype not allowed: bool'],
    ['gather', () => z(2).gather(0, z(2)), tl.DTypeError, '[gather] index is f32'],
    ['indexSelect', () => z(2).indexSelect(0, bools(2)), tl.DTypeError, '[indexSelect] index is bool'],
    ['embedding', () => tl.embedding(z(2), z(3, 3)), tl.DTypeError, '[embedding] index is f32'],
    ['oneHot', () => tl.oneHot(z(2), 3), tl.DTypeError, '[oneHot] index is f32'],
    ['conv2d', () => tl.conv2d(ints(1, 1, 3, 3), z(1, 1, 3, 3)), tl.DTypeError, '[conv2d] dtypes i32 and f32'],
    ['maxPool2d', () => ints(1, 1, 3, 3).maxPool2d(2), tl.DTypeError, '[maxPool2d] input is i32'],
    ['crossEntropy', () => z(4, 3).crossEntropy(bools(4)), tl.DTypeError, '[crossEntropy] index is bool'],
    ['nllLoss', () => ints(4, 3).nllLoss(ints(4)), tl.DTypeError, '[nllLoss] input is i32'],
    ['grad', () => tl.grad((x: tl.Tensor) => x.sum())(ints(2)), tl.DTypeError, '[grad] input is i32'],
    [
      'backward',
      () => tl.ones([], { requiresGrad: true }).backward(ints()),
      tl.DTypeError,
      '[backward] gradient is i32',
    ],
    [
      'requiresGrad',
      () => {
        ints(2).requiresGrad = true;
      },
      tl.DTypeError,
      '[requiresGrad] only floating tensors have gradients: i32',
    ],
  ]);
});

describe('other mistakes', () => {
  throwsEach([
    ['text as an operand', () => z(2).add(js('1')), tl.ArgumentError, '[add] not an operand: string'],
    ['an array as an operand', () => z(2).add(js([1, 2])), tl.ArgumentError, '[add] not an operand: an array'],
    ['nothing as an operand', () => z(2).mul(js(undefined)), tl.ArgumentError, '[mul] not an operand: undefined'],
    ['two numbers', () => tl.add(1, 2), tl.ArgumentError, '[add] only numbers given'],
    [
      'a number out of range',
      () => ints(2).add(2 ** 31),
      tl.ArgumentError,
      '[add] number out of range: 2147483648 (i32',
    ],
    [
      'a negative number beside u32',
      () => ints(2).cast('u32').lt(-1),
      tl.ArgumentError,
      '[lt] number out of range: -1 (u32',
    ],
    ['a number as a tensor', () => tl.exp(js(1)), tl.ArgumentError, '[exp] not a tensor: number'],
    ['a number as a matrix', () => z(2).matmul(js(2)), tl.ArgumentError, '[matmul] not a tensor: number'],
    [
      'options in place of dim',
      () => z(2).sum(js({ keepDim: true })),
      tl.ArgumentError,
      '[sum] dim is not a number or a list',
    ],
    ['clamp without bounds', () => z(2).clamp(), tl.ArgumentError, '[clamp] no bounds given'],
    ['norm of text', () => z(2).norm(js('fro')), tl.ArgumentError, '[norm] p is fro'],
    ['reshape to a fraction', () => z(2).reshape(0.5, 4), tl.ArgumentError, '[reshape] not an integer: 0.5'],
    ['permute by text', () => z(2, 2).permute(js('0'), 1), tl.ArgumentError, '[permute] not an integer: 0'],
    ['concat of nothing', () => tl.concat([]), tl.ArgumentError, '[concat] no tensors given'],
    ['concat of one tensor', () => tl.concat(js(z(2))), tl.ArgumentError, '[concat] no tensors given'],
    ['concat of numbers', () => tl.concat([z(2), js(1)]), tl.ArgumentError, '[concat] not a tensor: number'],
    ['stack of nothing', () => tl.stack([]), tl.ArgumentError, '[stack] no tensors given'],
    ['a step of 0', () => z(5).slice(0, 0, 5, 0), tl.ArgumentError, '[slice] step is 0'],
    ['a fractional bound', () => z(5).slice(0, 0.5), tl.ArgumentError, '[slice] bound is 0.5'],
    [
      'select past the end',
      () => z(5).select(0, 5),
      tl.ArgumentError,
      '[select] index out of range: 5 on axis 0 of [5]',
    ],
    ['select before the start', () => z(5).select(0, -6), tl.ArgumentError, '[select] index out of range: -6'],
    ['at past the end', () => z(2, 3).at(0, 3), tl.ArgumentError, '[at] index out of range: 3 on axis 1 of [2, 3]'],
    ['at text', () => z(2).at(js('x')), tl.ArgumentError, '[at] not an index: string'],
    ["'...' twice", () => z(2).at('...', '...'), tl.ArgumentError, "[at] more than one '...'"],
    ['narrow by a negative length', () => z(5).narrow(0, 0, -1), tl.ArgumentError, '[narrow] length is -1'],
    ['split into nothing', () => z(5).split(0), tl.ArgumentError, '[split] size is 0'],
    ['chunks of nothing', () => z(5).chunk(0), tl.ArgumentError, '[chunk] chunks is 0'],
    [
      'repeatInterleave by a fraction',
      () => z(5).repeatInterleave(1.5, 0),
      tl.ArgumentError,
      '[repeatInterleave] count is 1.5',
    ],
    ['odd padding', () => z(5).pad([1]), tl.ArgumentError, '[pad] odd number of amounts: [1]'],
    ['roll without axes', () => z(5).roll([1, 2]), tl.ArgumentError, '[roll] several shifts'],
    ['roll of other counts', () => z(5).roll([1, 2], [0]), tl.ArgumentError, '[roll] 2 shifts for 1 dims'],
    [
      'conv2d stride',
      () => tl.conv2d(z(1, 1, 3, 3), z(1, 1, 1, 1), null, { stride: 0 }),
      tl.ArgumentError,
      '[conv2d] stride is 0',
    ],
    [
      'conv2d options of three axes',
      () => tl.conv2d(z(1, 1, 3, 3), z(1, 1, 1, 1), null, { padding: [1, 1, 1] }),
      tl.ArgumentError,
      '[conv2d] padding has 3 values',
    ],
    [
      "padding 'same' with a stride",
      () => tl.conv2d(z(1, 1, 3, 3), z(1, 1, 1, 1), null, { stride: 2, padding: 'same' }),
      tl.ArgumentError,
      "[conv2d] padding 'same' needs stride 1",
    ],
    [
      'unknown padding',
      () => tl.conv2d(z(1, 1, 3, 3), z(1, 1, 1, 1), null, { padding: js('full') }),
      tl.ArgumentError,
      "[conv2d] padding is 'full'",
    ],
    [
      'maxPool2d padding',
      () => z(1, 1, 4, 4).maxPool2d(2, { padding: 2 }),
      tl.ArgumentError,
      '[maxPool2d] padding is more than half the window',
    ],
    ['dropout', () => tl.dropout(z(2), 1.5), tl.ArgumentError, '[dropout] p is 1.5'],
    ['gelu', () => z(2).gelu({ approximate: js('fast') }), tl.ArgumentError, '[gelu] approximate is fast'],
    ['reduction', () => z(2).mseLoss(z(2), { reduction: js('max') }), tl.ArgumentError, '[mseLoss] reduction is max'],
    [
      'labelSmoothing',
      () => z(2, 2).crossEntropy(ints(2), { labelSmoothing: 2 }),
      tl.ArgumentError,
      '[crossEntropy] labelSmoothing is 2',
    ],
    ['backward of a constant', () => z().backward(), tl.ArgumentError, '[backward] nothing here requires grad'],
    ['grad of no tensor', () => tl.grad(js(() => 1))(z(2)), tl.ArgumentError, '[grad] the function returned no tensor'],
    [
      'grad by a number',
      () => tl.grad(js((x: tl.Tensor) => x))(js(1)),
      tl.ArgumentError,
      '[grad] not a tensor: number',
    ],
    [
      'grad inside noGrad',
      () => tl.noGrad(() => tl.grad((x: tl.Tensor) => x.sum())(z(2))),
      tl.ArgumentError,
      '[grad] called inside noGrad',
    ],
    [
      'an asynchronous noGrad',
      () => tl.noGrad(async () => 1),
      tl.ArgumentError,
      '[noGrad] the function is asynchronous',
    ],
    ['realize of a number', () => tl.realize(js(1)), tl.ArgumentError, '[realize] not a tensor: number'],
    [
      'a disposed tensor',
      () => {
        const x = z(2);
        x.dispose();
        x.add(1);
      },
      tl.StaleTensorError,
      '[Tensor] used after dispose()',
    ],
  ]);

  it('rejects reads of a disposed tensor', async () => {
    const x = tl.tensor([1]);
    x.dispose();
    x.dispose();
    await expect(x.data()).rejects.toThrow(tl.StaleTensorError);
    await expect(x.tolist()).rejects.toThrow(tl.StaleTensorError);
  });
});
