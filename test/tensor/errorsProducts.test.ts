import * as tl from 'tiller';
import { describe, expect, it } from 'vitest';
import { bools, functions, ints, js, type Mistake, throwsEach, z } from './mistakes.js';

describe('products of matrices', () => {
  const strict: [string, tl.Tensor[]][] = [
    ['mm', [z(2, 3), z(3, 4)]],
    ['bmm', [z(2, 2, 3), z(2, 3, 4)]],
    ['mv', [z(2, 3), z(3)]],
    ['vdot', [z(3), z(3)]],
    ['addmm', [z(), z(2, 3), z(3, 4)]],
    ['addmv', [z(), z(2, 3), z(3)]],
    ['addbmm', [z(), z(2, 2, 3), z(2, 3, 4)]],
    ['baddbmm', [z(), z(2, 2, 3), z(2, 3, 4)]],
  ];
  throwsEach(
    strict.flatMap(([op, good]): Mistake[] => {
      const changed = (i: number, x: unknown) => good.map((y, k) => (k === i ? x : y));
      const last = good.length - 1;
      const short =
        last === 1 || op === 'addmv' ? good[last]!.shape.map((d) => d - 1) : good[last]!.shape.map((d) => d + 1);
      return [
        [
          `${op} of a rank`,
          () => functions[op]!(...changed(last, z(1, 1, 1, 1))),
          tl.ShapeError,
          `[${op}] ranks do not fit`,
        ],
        [
          `${op} of lengths`,
          () => functions[op]!(...changed(last, z(...short))),
          tl.ShapeError,
          `[${op}] inner dimensions`,
        ],
        [
          `${op} of bool`,
          () => functions[op]!(...changed(last, bools(...good[last]!.shape))),
          tl.DTypeError,
          `[${op}] dtype`,
        ],
        [
          `${op} of a number`,
          () => functions[op]!(...changed(last, 1)),
          tl.ArgumentError,
          `[${op}] not a tensor: number`,
        ],
      ];
    }),
  );
  throwsEach([
    ['bmm of batches', () => z(2, 2, 3).bmm(z(3, 3, 4)), tl.ShapeError, '[bmm] batches differ: [2, 2, 3] x [3, 3, 4]'],
    [
      'addmm input',
      () => z(3).addmm(z(2, 3), z(3, 4)),
      tl.ShapeError,
      '[addmm] input is [3] (expected to broadcast to',
    ],
    ['addmm input of rank', () => z(1, 1, 1).addmm(z(2, 3), z(3, 4)), tl.ShapeError, '[addmm] input is [1, 1, 1]'],
    ['addr', () => z(3).addr(z(2), z(4)), tl.ShapeError, '[addr] input is [3]'],
    ['addr of matrices', () => z(3).addr(z(2, 2), z(4)), tl.ShapeError, '[outer] not two vectors'],
    ['addmm alpha', () => z().addmm(z(2, 3), z(3, 4), { alpha: NaN }), tl.ArgumentError, '[addmm] beta 1, alpha NaN'],
    [
      'addmm alpha of integers',
      () => ints().addmm(ints(2, 3), ints(3, 4), { alpha: 0.5 }),
      tl.ArgumentError,
      '[addmm] beta 1, alpha 0.5 (expected finite; integers for i32)',
    ],
    ['outer of bool', () => bools(2).outer(bools(2)), tl.DTypeError, '[outer] dtype not allowed: bool'],
    ['multiDot of nothing', () => tl.multiDot([]), tl.ArgumentError, '[multiDot] no tensors given'],
    ['multiDot of one vector', () => tl.multiDot([z(2)]), tl.ShapeError, '[multiDot] not a matrix: [2]'],
    ['multiDot inside', () => tl.multiDot([z(2, 2), z(2), z(2, 2)]), tl.ShapeError, '[multiDot] not a matrix: [2]'],
    ['multiDot of lengths', () => tl.multiDot([z(2, 3), z(2, 3)]), tl.ShapeError, '[multiDot] inner dimensions differ'],
    ['chainMatmul', () => tl.chainMatmul(z(2), z(2, 2)), tl.ShapeError, '[chainMatmul] not a matrix: [2]'],
    ['chainMatmul of nothing', () => tl.chainMatmul(), tl.ArgumentError, '[chainMatmul] no tensors given'],
    ['matrixPower', () => z(2, 3).matrixPower(2), tl.ShapeError, '[matrixPower] not square: [2, 3]'],
    ['matrixPower of a fraction', () => z(2, 2).matrixPower(0.5), tl.ArgumentError, '[matrixPower] n is 0.5'],
    ['matrixPower below 0', () => z(2, 2).matrixPower(-1), tl.UnsupportedError, '[matrixPower] negative power: -1'],
    ['vander', () => z(2, 2).vander(), tl.ShapeError, '[vander] not a vector: [2, 2]'],
    ['vander columns', () => z(2).vander(-1), tl.ArgumentError, '[vander] columns is -1'],
    ['kron', () => z(2).kron(js(2)), tl.ArgumentError, '[kron] not a tensor: number'],
    ['cross', () => z(2, 4).cross(z(2, 4)), tl.ShapeError, '[cross] no axis of 3: [2, 4]'],
    ['cross of an axis', () => z(3, 4).cross(z(3, 4), 1), tl.ShapeError, '[cross] no axis of 3: [3, 4], dim 1'],
    ['cross of shapes', () => z(3).cross(z(2)), tl.ShapeError, '[cross] shapes do not broadcast: [3] and [2]'],
    ['cdist', () => z(2, 3).cdist(z(2, 4)), tl.ShapeError, '[cdist] shapes do not fit: [2, 3] and [2, 4]'],
    ['cdist of rank', () => z(3).cdist(z(2, 3)), tl.ShapeError, '[cdist] shapes do not fit: [3] and [2, 3]'],
    ['cdist of batches', () => z(2, 1, 3).cdist(z(3, 1, 3)), tl.ShapeError, '[cdist] shapes do not broadcast'],
    ['cdist p', () => z(2, 3).cdist(z(2, 3), -1), tl.ArgumentError, '[cdist] p is -1'],
    ['inner', () => z(2, 3).inner(z(2)), tl.ShapeError, '[inner] last dimensions differ: [2, 3] and [2]'],
    ['tensordot', () => z(2, 3).tensordot(z(3, 2), 3), tl.ShapeError, '[tensordot] 3 axes of [2, 3] and [3, 2]'],
    ['tensordot of lengths', () => z(2, 3).tensordot(z(2, 3), 1), tl.ShapeError, '[tensordot] axes 1 and 0 differ'],
    [
      'tensordot of pairs',
      () => z(2, 3).tensordot(z(2, 3), [[0, 1], [0]]),
      tl.ShapeError,
      '[tensordot] axes do not pair',
    ],
    [
      'tensordot twice',
      () =>
        z(2, 2).tensordot(z(2, 2), [
          [0, 0],
          [0, 1],
        ]),
      tl.ShapeError,
      '[tensordot] axes do not pair',
    ],
    [
      'tensordot of an axis',
      () => z(2, 2).tensordot(z(2, 2), [[2], [0]]),
      tl.ShapeError,
      '[tensordot] axis out of range: 2',
    ],
    ['tensordot of a fraction', () => z(2, 2).tensordot(z(2, 2), 0.5), tl.ArgumentError, '[tensordot] dims is 0.5'],
    [
      'bilinear',
      () => z(2, 3).bilinear(z(2, 4), z(5, 4, 3)),
      tl.ShapeError,
      '[bilinear] shapes do not fit: [2, 3], [2, 4]',
    ],
    ['bilinear of batches', () => z(2, 3).bilinear(z(3, 4), z(5, 3, 4)), tl.ShapeError, '[bilinear] shapes do not fit'],
    ['bilinear bias', () => z(2, 3).bilinear(z(2, 4), z(5, 3, 4), z(4)), tl.ShapeError, '[bilinear] bias is [4]'],
  ]);
});

describe('einsum', () => {
  throwsEach([
    ['digits', () => tl.einsum('i1', z(2)), tl.ArgumentError, "[einsum] not an equation: 'i1'"],
    ['two arrows', () => tl.einsum('i->i->i', z(2)), tl.ArgumentError, '[einsum] not an equation'],
    ['two ellipses', () => tl.einsum('...i...', z(2)), tl.ArgumentError, '[einsum] not an equation'],
    ['two dots', () => tl.einsum('..i', z(2)), tl.ArgumentError, '[einsum] not an equation'],
    ['a comma in the output', () => tl.einsum('i->i,i', z(2)), tl.ArgumentError, '[einsum] not an equation'],
    ['too few operands', () => tl.einsum('i,i', z(2)), tl.ArgumentError, "[einsum] 1 operands for 'i,i' (expected 2)"],
    ['too many operands', () => tl.einsum('i', z(2), z(2)), tl.ArgumentError, '[einsum] 2 operands'],
    ['no operands', () => tl.einsum('i'), tl.ArgumentError, '[einsum] 0 operands'],
    ['a number', () => tl.einsum('i', js(2)), tl.ArgumentError, '[einsum] not a tensor: number'],
    ['too many labels', () => tl.einsum('ij', z(2)), tl.ShapeError, "[einsum] 'ij' has 2 labels for [2]"],
    ['too few labels', () => tl.einsum('i', z(2, 3)), tl.ShapeError, "[einsum] 'i' has 1 labels for [2, 3]"],
    ['an ellipsis of less than nothing', () => tl.einsum('...ij', z(2)), tl.ShapeError, '[einsum]'],
    ['lengths', () => tl.einsum('ij,jk', z(2, 3), z(4, 5)), tl.ShapeError, "[einsum] lengths of 'j' differ: 3 and 4"],
    ['a diagonal', () => tl.einsum('ii', z(2, 3)), tl.ShapeError, "[einsum] lengths of 'i' differ: 2 and 3"],
    [
      'a diagonal of length 1',
      () => tl.einsum('ii', z(1, 3)),
      tl.ShapeError,
      "[einsum] lengths of 'i' differ: 1 and 3",
    ],
    ['ellipses', () => tl.einsum('...,...', z(2), z(3)), tl.ShapeError, '[einsum] lengths of'],
    [
      'an output label of nobody',
      () => tl.einsum('i->j', z(2)),
      tl.ArgumentError,
      "[einsum] no operand has the output label 'j'",
    ],
    ['an output label twice', () => tl.einsum('i->ii', z(2)), tl.UnsupportedError, '[einsum] an output label twice'],
    ['bool', () => tl.einsum('i', bools(2)), tl.DTypeError, '[einsum] dtype not allowed: bool'],
    ['a sublist that is none', () => tl.einsum(z(2), js('i')), tl.ArgumentError, '[einsum] an operand without a list'],
    ['an axis below 0', () => tl.einsum(z(2), [-1]), tl.ArgumentError, '[einsum] axis is -1'],
    ['an axis beyond the letters', () => tl.einsum(z(2), [52]), tl.ArgumentError, '[einsum] axis is 52'],
    ['nothing', () => (tl.einsum as () => unknown)(), tl.ArgumentError, '[einsum] neither an equation'],
  ]);

  it('meets first what is smallest together', async () => {
    await tl.init({ engine: 'plan-only' });
    const product = tl.einsum('ab,bc,cd->ad', tl.ones([2, 64]), tl.ones([64, 64]), tl.ones([64, 64]));
    expect(product.shape).toEqual([2, 64]);
    const listed = tl.multiDot([tl.ones([64, 64]), tl.ones([64, 64]), tl.ones([64, 1])]);
    // Not a [64, 64] product anywhere: each is a column.
    const shapes = (x: { shape: readonly number[]; inputs: readonly unknown[]; prim: string }): string[] => [
      ...(x.prim === 'dot' ? [x.shape.join('x')] : []),
      ...x.inputs.flatMap((y) => shapes(y as typeof x)),
    ];
    expect(shapes(product.node as never)).toEqual(['2x64', '2x64']);
    expect(shapes(listed.node as never)).toEqual(['64x1', '64x1']);
  });
});
