import * as tl from 'tiller';
import * as fft from 'tiller/fft';
import * as linalg from 'tiller/linalg';

/** The public modules besides the core whose functions have cases, as `linalg.cholesky`. */
export const ENTRY_POINTS = { linalg, fft } as const;

/** A public function by the name that the fixtures have for it: bare for those of the core. */
export function functionNamed(name: string): unknown {
  const [first, second] = name.split('.') as [string, string?];
  const [module, key] = second === undefined ? [tl, first] : [ENTRY_POINTS[first as keyof typeof ENTRY_POINTS], second];
  const found = (module as unknown as Record<string, unknown> | undefined)?.[key];
  if (typeof found !== 'function') throw new Error(`no function ${name}`);
  return found;
}
