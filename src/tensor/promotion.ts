import { checkDType, type DType, isFloat, promote } from '../graph/index.js';
import { commonDType, firstTensor, type TensorLike } from './operands.js';

/** The dtype that arithmetic between tensors and plain numbers gives: tensors promote among themselves, numbers join weakly. */
export function resultType(...operands: readonly TensorLike[]): DType {
  firstTensor('resultType', operands);
  return commonDType(operands);
}

/**
 * The dtype of an operation between tensors of two dtypes, as `torch.promote_types`: floats win over integers, those over bool, f32 over
 * f16, wide integers over narrow ones. PyTorch's i16 for u8 with i8 is i32 here. u32 stands above u8 and below i32, so that i32 (and i8)
 * with u32 give i32. Throws DTypeError for what is no dtype.
 */
export const promoteTypes = (a: DType, b: DType): DType =>
  promote(checkDType('promoteTypes', a), checkDType('promoteTypes', b));

/** Whether PyTorch stores one dtype as another without being asked (`out`, in place): floats as no integers, nothing but bool as bool. */
export function canCast(from: DType, to: DType): boolean {
  const kind = (dtype: DType): number => (isFloat(checkDType('canCast', dtype)) ? 2 : dtype === 'bool' ? 0 : 1);
  return kind(from) <= kind(to);
}
