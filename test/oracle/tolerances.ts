/**
 * How far results may be from PyTorch's float64 results rounded once to f32 (the goldens): the only tolerances of the tests that compare
 * engines with goldens or with each other.
 *
 * `reference` computes each primitive in float64 and rounds it to f32, so a single primitive must be right to the last bit, or next to it
 * where two float64 libraries may round a halfway case differently. Compositions collect a rounding for each primitive.
 * `kernels` are engines that compute in f32. NaN, infinities and, where `signedZeros`, the sign of a zero must be equal always.
 */
export interface Tolerance {
  /** Of the expected value, in units of 2^-23. */
  readonly ulp: number;
  readonly absolute: number;
}

export interface ToleranceClass {
  readonly reference: Tolerance;
  readonly kernels: Tolerance;
  /** Whether -0 and 0 differ: for single primitives. Sums and compositions may lose the sign. */
  readonly signedZeros: boolean;
  readonly why: string;
}

const EXACT: Tolerance = { ulp: 0, absolute: 0 };

export const TOLERANCES = {
  exact: {
    reference: EXACT,
    kernels: EXACT,
    signedZeros: true,
    why: 'no rounding (movement, choice, comparison, integers, casts, remainders), or one that IEEE 754 and WGSL define (+, -, *)',
  },
  division: {
    reference: EXACT,
    kernels: { ulp: 3, absolute: 0 },
    signedZeros: true,
    why: 'WGSL allows 2.5 ulp for a division and has the square root inherit from its reciprocal',
  },
  functions: {
    reference: { ulp: 1, absolute: 0 },
    kernels: { ulp: 4, absolute: 0 },
    signedZeros: true,
    why: 'polynomials in f32 with a few roundings; relative, because small results must be right too',
  },
  power: {
    reference: { ulp: 1, absolute: 0 },
    kernels: { ulp: 4, absolute: 0 },
    signedZeros: true,
    why: 'the logarithm is kept in two parts, so that a large exponent does not multiply its error',
  },
  sums: {
    reference: { ulp: 1, absolute: 0 },
    kernels: { ulp: 4, absolute: 1e-5 },
    signedZeros: false,
    why: 'f32 sums of up to 65 numbers below 4, in any order: each rounding of a partial sum below 32 is 1e-6 at most, and they partly cancel',
  },
  affine: {
    reference: { ulp: 1, absolute: 1e-6 },
    kernels: { ulp: 4, absolute: 1e-5 },
    signedZeros: false,
    why: 'a sum below 16, rounded (2^-20 at most), and a bias, which may cancel most of it',
  },
  products: {
    reference: { ulp: 1, absolute: 0 },
    kernels: { ulp: 32, absolute: 0 },
    signedZeros: false,
    why: 'one rounding for each of up to 65 factors, which partly cancel',
  },
  compositions: {
    reference: { ulp: 8, absolute: 1e-6 },
    kernels: { ulp: 16, absolute: 1e-5 },
    signedZeros: false,
    why: 'several primitives, each rounded; cancellation turns the error of an operand of size 4 (2.4e-7) into an absolute one',
  },
  gamma: {
    reference: { ulp: 1, absolute: 0 },
    kernels: { ulp: 8, absolute: 2e-6 },
    signedZeros: false,
    why: 'sums of logarithms and reciprocals, which cancel at the zeros between the poles and at the zero of digamma',
  },
  spectra: {
    reference: { ulp: 8, absolute: 1e-5 },
    kernels: { ulp: 16, absolute: 4e-5 },
    signedZeros: false,
    why: 'sums of up to 1,024 numbers below 2, taken in steps: the error is that of numbers of the size of the largest results, some 64',
  },
  factorisations: {
    reference: { ulp: 16, absolute: 4e-6 },
    kernels: { ulp: 64, absolute: 4e-5 },
    signedZeros: false,
    why: 'up to 33 steps that depend on each other, and matrices with condition numbers of up to 30, by which each rounding may grow',
  },
  deep: {
    reference: { ulp: 8, absolute: 1e-6 },
    kernels: { ulp: 32, absolute: 4e-6 },
    signedZeros: false,
    why: 'forty functions in a row, or derivatives of derivatives; f32 ones add up to 4 ulp each, and each passes on the error of the one before',
  },
  halves: {
    reference: { ulp: 2 ** 13, absolute: 2 ** -24 },
    kernels: { ulp: 2 ** 13, absolute: 2 ** -24 },
    signedZeros: false,
    why: 'results in f16: f32 results beside a halfway number are rounded to the other side, one unit (2^-10) away',
  },
} as const satisfies Record<string, ToleranceClass>;

export type ToleranceName = keyof typeof TOLERANCES;

const OPS: Record<Exclude<ToleranceName, 'affine' | 'halves'>, string> = {
  exact: `neg abs sign floor ceil round trunc isnan isinf isfinite logicalNot bitwiseNot relu relu6 clamp
    add sub mul square remainder fmod maximum minimum eq ne lt le gt ge logicalAnd logicalOr logicalXor
    bitwiseAnd bitwiseOr bitwiseXor bitwiseLeftShift bitwiseRightShift where cast
    frac positive signbit angle nanToNum isposinf isneginf absolute negative sgn fix hardtanh hardshrink softshrink threshold clip clampMin clampMax copysign
    fmax fmin nextafter multiply subtract greater greaterEqual less lessEqual notEqual heaviside gcd lcm frexp isclose
    amax amin aminmax median nanmedian mode cummax cummin cummaxWithIndices cumminWithIndices diff max min argmax argmin any all countNonzero
    reshape flatten unflatten squeeze unsqueeze permute transpose t expand broadcastTo repeat tile repeatInterleave flip roll slice
    narrow select at pad tril triu split chunk unbind concat stack gather indexSelect embedding oneHot maxPool2d outer
    setAt indexPut take takeAlongDim maskedFill maskedSelect nonzero argwhere scatter indexCopy indexFill tensorSplit hsplit vsplit dsplit
    fliplr flipud rot90 half float int char byte bool movedim moveaxis swapaxes swapdims ravel view reshapeAs viewAs expandAs atleast1d atleast2d atleast3d unfold
    diag diagonal diagEmbed diagflat diagonalScatter hstack vstack rowStack dstack columnStack broadcastTensors meshgrid cartesianProd
    combinations blockDiag trilIndices triuIndices sort argsort msort topk kthvalue searchsorted bucketize isin unique
    uniqueConsecutive histc kron maxPool1d maxPool3d adaptiveMaxPool1d adaptiveMaxPool2d adaptiveMaxPool3d maxUnpool1d maxUnpool2d maxUnpool3d
    linalg.matrixRank
    upsample upsampleNearest pixelShuffle pixelUnshuffle channelShuffle im2col selectScatter sliceScatter maskedScatter`,
  division: 'reciprocal sqrt rsqrt div floorDivide trueDivide divide',
  functions: `exp expm1 log log1p log2 log10 sin cos tan asin acos atan sinh cosh tanh sigmoid erf erfc erfinv atan2 expit exp2 deg2rad rad2deg
    arcsin arccos arctan arctan2`,
  power: 'pow floatPower',
  sums: `sum mean matmul dot linear conv1d conv2d conv3d avgPool2d nllLoss mseLoss l1Loss reluSum
    trace scatterAdd bincount tensordot inner mm bmm mv vdot convTranspose1d convTranspose2d convTranspose3d avgPool1d avgPool3d
    nansum nanmean cumsum`,
  products: 'prod cumprod',
  compositions: `leakyRelu elu gelu silu mish softplus logSigmoid softsign var std norm logsumexp softmax logSoftmax crossEntropy
    huberLoss binaryCrossEntropyWithLogits composedLayerNorm attention mlp
    asinh acosh atanh arcsinh arccosh arctanh sinc entr logit ndtr ndtri logNdtr i0 i0e i1 i1e celu selu hardsigmoid hardswish tanhshrink prelu glu softmin
    hypot logaddexp logaddexp2 xlogy xlog1py ldexp lerp addcmul addcdiv polygamma zeta mvlgamma
    scatterReduce indexAdd indexReduce histogram
    einsum addmm addmv addr addbmm baddbmm bilinear cross cdist chainMatmul multiDot linalg.multiDot linalg.vectorNorm matrixPower vander
    lpPool1d lpPool2d lpPool3d adaptiveAvgPool1d adaptiveAvgPool2d adaptiveAvgPool3d interpolate upsampleBilinear gridSample affineGrid fold col2im
    varMean stdMean quantile nanquantile logcumsumexp trapezoid cumulativeTrapezoid gradient dist renorm
    layerNorm rmsNorm groupNorm instanceNorm batchNorm batchNormTraining instanceNormTracking normalize cosineSimilarity pairwiseDistance
    scaledDotProductAttention smoothL1Loss binaryCrossEntropy klDiv poissonNllLoss gaussianNllLoss marginRankingLoss hingeEmbeddingLoss
    softMarginLoss cosineEmbeddingLoss tripletMarginLoss multiMarginLoss multilabelSoftMarginLoss ctcLoss ctcOfLogits`,
  gamma: 'lgamma digamma',
  spectra: `fft.fft fft.ifft fft.rfft fft.irfft fft.hfft fft.ihfft fft.fftn fft.ifftn fft.rfftn fft.irfftn fft.fft2 fft.ifft2 fft.rfft2 fft.irfft2
    fft.stft fft.istft fft.fftshift fft.ifftshift fft.fftfreq fft.rfftfreq fft.hannWindow fft.hammingWindow fft.blackmanWindow
    fft.complex fft.real fft.imag fft.conj fft.complexMul fft.complexAbs`,
  factorisations: `linalg.cholesky linalg.choleskySolve linalg.cond linalg.det linalg.eigh linalg.eigvalsh linalg.inv linalg.lstsq linalg.lu
    linalg.luFactor linalg.luSolve linalg.matrixExp linalg.matrixNorm linalg.matrixPower linalg.norm linalg.pinv linalg.qr linalg.slogdet
    linalg.solve linalg.solveTriangular linalg.svd linalg.svdvals linalg.tensorinv linalg.tensorsolve gradientOf`,
  deep: `deepChain hessianOfWeighed hessianOfNetwork hessianOfProduct hvpOfNetwork hvpOfFiltered jacobianOfCoupled jacfwdOfCoupled
    jacfwdOfSorted jvpOfAttention gradientsByExample`,
};

const CLASS_OF = new Map<string, ToleranceName>(
  Object.entries(OPS).flatMap(([name, ops]) => ops.split(/\s+/).map((op) => [op, name as ToleranceName] as const)),
);

const TAKES_BIAS = /^(linear|conv(Transpose)?.d)$/;

/** The class of an op's result for so many tensors. Throws for an op that the table does not list. */
export function toleranceOf(op: string, inputs: number): ToleranceClass {
  const name = CLASS_OF.get(op);
  if (name === undefined) throw new Error(`tolerances.ts does not list the op ${op}`);
  // Weights of classes, multiplied in and divided out again.
  if (op === 'nllLoss' && inputs === 3) return TOLERANCES.compositions;
  return TAKES_BIAS.test(op) && inputs === 3 ? TOLERANCES.affine : TOLERANCES[name];
}

/** Gradients are compositions, whatever they are the gradients of. */
export function gradientToleranceOf(op: string): ToleranceClass {
  const name = CLASS_OF.get(op);
  const own = name === 'deep' || name === 'spectra' || name === 'factorisations';
  return TOLERANCES[own ? name : 'compositions'];
}
