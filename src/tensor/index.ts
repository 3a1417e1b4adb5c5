export {
  cacheStats,
  engineInfo,
  type InitOptions,
  initEngine as init,
  memory,
  type PlanListing,
  plans,
} from '../compile/index.js';
export type { EngineInfo, EngineName, MemoryStats } from '../engine/engine.js';
export type { Trial, TunedKernel } from '../engine/tuning.js';
export type { DType, DTypeArrays, Shape, TypedArray } from '../graph/index.js';
export {
  ArgumentError,
  DeviceLostError,
  DTypeError,
  EngineError,
  EngineUnavailableError,
  FormatError,
  InternalError,
  OutOfMemoryError,
  ShapeError,
  StaleTensorError,
  TillerError,
  UnsupportedError,
} from '../graph/index.js';
export * from './activations.js';
export * from './adaptivePooling.js';
export * from './aliases.js';
export * from './arithmetic.js';
export * from './at.js';
export * from './attention.js';
export * from './bessel.js';
export * from './chains.js';
export * from './choosing.js';
export {
  type Compiled,
  type CompileOptions,
  compile,
  type Progress,
  type TuneSettings,
  type WarmupOptions,
  warmup,
} from './compile.js';
export * from './contractions.js';
export * from './control.js';
export * from './conversions.js';
export * from './convolution.js';
export {
  arange,
  type CreateOptions,
  eye,
  full,
  fullLike,
  linspace,
  type NumericArray,
  ones,
  onesLike,
  scalar,
  type TensorData,
  type TensorOptions,
  tensor,
  trilIndices,
  triuIndices,
  zeros,
  zerosLike,
} from './creation.js';
export * from './ctcLoss.js';
export * from './cumulative.js';
export * from './custom.js';
export * from './dataDependent.js';
export * from './diagonals.js';
export * from './differentiation.js';
export * from './distances.js';
export { einsum, type Sublist } from './einsum.js';
export * from './elementLosses.js';
export * from './elementwise.js';
export * from './finiteDifferences.js';
export { manualSeed } from './generator.js';
export * from './histograms.js';
export * from './imageLayout.js';
export * from './indexing.js';
export * from './jacobians.js';
export * from './joining.js';
export * from './linalg.js';
export * from './losses.js';
export * from './marginLosses.js';
export * from './movement.js';
export * from './normalization.js';
export { isTensor, type TensorLike } from './operands.js';
export * from './padding.js';
export * from './pooling.js';
export { canCast, promoteTypes, resultType } from './promotion.js';
export * from './random.js';
export { realize } from './realization.js';
export * from './reductions.js';
export * from './repeating.js';
export * from './resizing.js';
export * from './sampling.js';
export * from './scattering.js';
export { keep, scope } from './scope.js';
export * from './sorting.js';
export * from './special.js';
export * from './statistics.js';
export type { TensorStructure } from './structure.js';
export { type NestedNumbers, Tensor } from './tensor.js';
export * from './transforms.js';
export * from './turning.js';
export * from './vmap.js';
