/** An environment variable of the process; undefined in browsers, and where it is empty. */
export function environmentVariable(name: string): string | undefined {
  if (typeof process === 'undefined') return undefined;
  return process.env?.[name] || undefined;
}

/** A timer that does not keep a process alive: a finished program ends. */
export function startTimer(work: () => void, ms: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(work, ms);
  // Browsers have a number here.
  (timer as { unref?: () => void }).unref?.();
  return timer;
}

let chosen: number | null = null;

/** How much is told on stderr, in a page on its console: what `init({ debug })` said, else `TILLER_DEBUG`, else 0. */
export function debugLevel(): number {
  return chosen ?? (Number(environmentVariable('TILLER_DEBUG') ?? 0) || 0);
}

export function setDebugLevel(level: number): void {
  chosen = level;
}
