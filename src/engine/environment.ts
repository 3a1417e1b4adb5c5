/** An environment variable of the process; undefined in browsers, and where it is empty. */
export function environmentVariable(name: string): string | undefined {
  if (typeof process === 'undefined') return undefined;
  return process.env?.[name] || undefined;
}

/** `TILLER_DEBUG`: 0 where it is not set. */
export function debugLevel(): number {
  return Number(environmentVariable('TILLER_DEBUG') ?? 0) || 0;
}
