import * as tl from 'tiller';
import { describe, expect, it } from 'vitest';
import { bools, functions, ints, js, type Mistake, throwsEach, z } from './mistakes.js';

describe('normalisation, attention and losses name themselves in errors', () => {
  const alike = [
    'mseLoss',
    'l1Loss',
    'huberLoss',
    'smoothL1Loss',
    'binaryCrossEntropy',
    'binaryCrossEntropyWithLogits',
    'klDiv',
    'poissonNllLoss',
    'softMarginLoss',
    'multilabelSoftMarginLoss',
  ] as const;
  throwsEach(
    alike.flatMap((op): Mistake[] => [
      [op, () => z(2, 3)[op](z(3, 2)), tl.ShapeError, `[${op}] shapes differ: input [2, 3], target [3, 2]`],
      [
        `${op} reduction`,
        () => z(2)[op](z(2), { reduction: js('max') }),
        tl.ArgumentError,
        `[${op}] reduction is max (expected`,
      ],
      [`${op} of a number`, () => functions[op]!(1, z(1)), tl.ArgumentError, `[${op}] not a tensor: number`],
    ]),
  );
  throwsEach([
    ['layerNorm', () => z(2, 3).layerNorm(2), tl.ShapeError, '[layerNorm] input is [2, 3] (expected it to end in [2])'],
    ['layerNorm of nothing', () => z(2, 3).layerNorm([]), tl.ShapeError, '[layerNorm] input is [2, 3]'],
    ['layerNorm weight', () => z(2, 3).layerNorm(3, z(2)), tl.ShapeError, '[layerNorm] weight is [2] (expected [3])'],
    ['layerNorm bias', () => z(2, 3).layerNorm(3, null, z(1)), tl.ShapeError, '[layerNorm] bias is [1] (expected [3])'],
    ['layerNorm eps', () => z(2, 3).layerNorm(3, null, null, -1), tl.ArgumentError, '[layerNorm] eps is -1'],
    ['rmsNorm', () => z(2, 3).rmsNorm([2, 2]), tl.ShapeError, '[rmsNorm] input is [2, 3]'],
    ['rmsNorm weight', () => z(2, 3).rmsNorm(3, z(2)), tl.ShapeError, '[rmsNorm] weight is [2] (expected [3])'],
    ['groupNorm rank', () => z(3).groupNorm(1), tl.ShapeError, '[groupNorm] input is [3] (expected rank 2 or more'],
    ['groupNorm groups', () => z(2, 3).groupNorm(2), tl.ArgumentError, '[groupNorm] numGroups is 2'],
    ['groupNorm weight', () => z(2, 4).groupNorm(2, z(2)), tl.ShapeError, '[groupNorm] weight is [2] (expected [4])'],
    ['instanceNorm rank', () => z(2, 3).instanceNorm(), tl.ShapeError, '[instanceNorm] input is [2, 3]'],
    ['instanceNorm of one', () => z(2, 3, 1).instanceNorm(), tl.ShapeError, '[instanceNorm] 1 values for each channel'],
    [
      'instanceNorm by nothing',
      () => z(2, 3, 4).instanceNorm(null, null, null, null, false),
      tl.ArgumentError,
      '[instanceNorm] no running statistics given',
    ],
    ['batchNorm rank', () => z(3).batchNorm(null, null), tl.ShapeError, '[batchNorm] input is [3]'],
    [
      'batchNorm mean',
      () => z(4, 3).batchNorm(z(2), z(3)),
      tl.ShapeError,
      '[batchNorm] runningMean is [2] (expected [3])',
    ],
    ['batchNorm variance', () => z(4, 3).batchNorm(z(3), z(2)), tl.ShapeError, '[batchNorm] runningVar is [2]'],
    [
      'batchNorm by nothing',
      () => z(4, 3).batchNorm(null, null),
      tl.ArgumentError,
      '[batchNorm] no running statistics',
    ],
    [
      'batchNorm of one',
      () => z(1, 3).batchNorm(null, null, null, null, true),
      tl.ShapeError,
      '[batchNorm] 1 values for each channel of [1, 3]',
    ],
    ['normalize axis', () => z(3).normalize(), tl.ShapeError, '[normalize] axis out of range: 1'],
    ['normalize eps', () => z(2, 3).normalize(2, 1, -1), tl.ArgumentError, '[normalize] eps is -1'],
    [
      'cosineSimilarity',
      () => z(2, 3).cosineSimilarity(z(2)),
      tl.ShapeError,
      '[cosineSimilarity] shapes do not broadcast: [2, 3] and [2]',
    ],
    [
      'cosineSimilarity axis',
      () => z(3).cosineSimilarity(z(3)),
      tl.ShapeError,
      '[cosineSimilarity] axis out of range: 1',
    ],
    [
      'pairwiseDistance',
      () => z(2, 3).pairwiseDistance(z(2)),
      tl.ShapeError,
      '[pairwiseDistance] shapes do not broadcast',
    ],
    [
      'pairwiseDistance of numbers',
      () => z().pairwiseDistance(z()),
      tl.ShapeError,
      '[pairwiseDistance] axis out of range',
    ],
    [
      'attention rank',
      () => tl.scaledDotProductAttention(z(3), z(2, 3), z(2, 3)),
      tl.ShapeError,
      '[scaledDotProductAttention] shapes are [3], [2, 3], [2, 3] (expected rank 2 or more)',
    ],
    [
      'attention features',
      () => tl.scaledDotProductAttention(z(2, 3), z(2, 4), z(2, 4)),
      tl.ShapeError,
      '[scaledDotProductAttention] shapes do not fit: [2, 3], [2, 4], [2, 4]',
    ],
    [
      'attention values',
      () => tl.scaledDotProductAttention(z(2, 3), z(4, 3), z(5, 3)),
      tl.ShapeError,
      '[scaledDotProductAttention] shapes do not fit: [2, 3], [4, 3], [5, 3]',
    ],
    [
      'attention heads',
      () => tl.scaledDotProductAttention(z(3, 2, 4), z(2, 2, 4), z(2, 2, 4), { enableGqa: true }),
      tl.ShapeError,
      '[scaledDotProductAttention] 3 heads of queries for 2',
    ],
    [
      'attention heads that do not broadcast',
      () => tl.scaledDotProductAttention(z(3, 2, 4), z(2, 2, 4), z(2, 2, 4)),
      tl.ShapeError,
      '[scaledDotProductAttention] shapes do not broadcast: [3] and [2]',
    ],
    [
      'attention mask',
      () => tl.scaledDotProductAttention(z(2, 3), z(4, 3), z(4, 3), { attnMask: bools(5, 2, 4) }),
      tl.ShapeError,
      '[scaledDotProductAttention] attnMask is [5, 2, 4] beside scores [2, 4]',
    ],
    [
      'attention masks',
      () => tl.scaledDotProductAttention(z(2, 3), z(2, 3), z(2, 3), { attnMask: bools(2, 2), isCausal: true }),
      tl.ArgumentError,
      '[scaledDotProductAttention] both attnMask and isCausal given',
    ],
    [
      'crossEntropy weight',
      () => z(2, 3).crossEntropy(ints(2), { weight: z(2) }),
      tl.ShapeError,
      '[crossEntropy] weight is [2] (expected [3])',
    ],
    [
      'nllLoss weight',
      () => z(2, 3).nllLoss(ints(2), { weight: z(3, 1) }),
      tl.ShapeError,
      '[nllLoss] weight is [3, 1]',
    ],
    ['smoothL1Loss beta', () => z(2).smoothL1Loss(z(2), { beta: -1 }), tl.ArgumentError, '[smoothL1Loss] beta is -1'],
    [
      'binaryCrossEntropy weight',
      () => z(2).binaryCrossEntropy(z(2), { weight: z(2, 2) }),
      tl.ShapeError,
      '[binaryCrossEntropy] weight is [2, 2] beside input [2]',
    ],
    [
      'posWeight',
      () => z(2).binaryCrossEntropyWithLogits(z(2), { posWeight: z(3) }),
      tl.ShapeError,
      '[binaryCrossEntropyWithLogits] shapes do not broadcast: [3] and [2]',
    ],
    ['klDiv batchmean', () => z().klDiv(z(), { reduction: 'batchmean' }), tl.ShapeError, '[klDiv] a single number'],
    [
      'gaussianNllLoss variance',
      () => z(2, 3).gaussianNllLoss(z(2, 3), z(3)),
      tl.ShapeError,
      '[gaussianNllLoss] variance is [3] beside input [2, 3]',
    ],
    ['marginRankingLoss', () => z(2).marginRankingLoss(z(3), z(2)), tl.ShapeError, '[marginRankingLoss] shapes do not'],
    ['hingeEmbeddingLoss', () => z(2).hingeEmbeddingLoss(z(3)), tl.ShapeError, '[hingeEmbeddingLoss] shapes do not'],
    [
      'cosineEmbeddingLoss',
      () => z(2, 3).cosineEmbeddingLoss(z(2, 3), z(3)),
      tl.ShapeError,
      '[cosineEmbeddingLoss] shapes are [2, 3] and [3] (expected [N, D] and [N])',
    ],
    ['tripletMarginLoss', () => z(2).tripletMarginLoss(z(3), z(2)), tl.ShapeError, '[tripletMarginLoss] shapes do not'],
    [
      'multiMarginLoss',
      () => z(2, 3).multiMarginLoss(ints(3)),
      tl.ShapeError,
      '[multiMarginLoss] shapes are [2, 3] and [3] (expected [N, C] and [N])',
    ],
    [
      'multiMarginLoss p',
      () => z(2, 3).multiMarginLoss(ints(2), { p: js(3) }),
      tl.ArgumentError,
      '[multiMarginLoss] p is 3',
    ],
    ['multiMarginLoss labels', () => z(2, 3).multiMarginLoss(z(2)), tl.DTypeError, '[multiMarginLoss] index is f32'],
    ['ctcLoss rank', () => z(3).ctcLoss(ints(1), [1], [1]), tl.ShapeError, '[ctcLoss] logProbs are [3]'],
    [
      'ctcLoss blank',
      () => z(3, 1, 4).ctcLoss(ints(1, 2), [3], [2], { blank: 4 }),
      tl.ArgumentError,
      '[ctcLoss] blank is 4',
    ],
    [
      'ctcLoss targets',
      () => z(3, 2, 4).ctcLoss(ints(3, 2), [3, 3], [2, 2]),
      tl.ShapeError,
      '[ctcLoss] targets are [3, 2]',
    ],
    [
      'ctcLoss in a row',
      () => z(3, 2, 4).ctcLoss(ints(3), [3, 3], [2, 2]),
      tl.ShapeError,
      '[ctcLoss] targetLengths add up',
    ],
    [
      'ctcLoss lengths',
      () => z(3, 2, 4).ctcLoss(ints(2, 2), [3], [2, 2]),
      tl.ShapeError,
      '[ctcLoss] inputLengths has 1',
    ],
    [
      'ctcLoss too long',
      () => z(3, 1, 4).ctcLoss(ints(1, 2), [4], [2]),
      tl.ArgumentError,
      '[ctcLoss] inputLengths is 4',
    ],
    ['ctcLoss of f32 targets', () => z(3, 1, 4).ctcLoss(z(1, 2), [3], [2]), tl.DTypeError, '[ctcLoss] index is f32'],
  ]);

  it('leave no running statistics changed in evaluation', async () => {
    const [mean, variance] = [tl.tensor([1, 2]), tl.tensor([3, 4])];
    await z(4, 2).batchNorm(mean, variance).data();
    expect([await mean.tolist(), await variance.tolist()]).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });
});
