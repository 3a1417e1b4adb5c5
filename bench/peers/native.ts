/** Milliseconds in which the idle threads of a native library stop spinning, which would cost whoever is measured next. */
const SETTLE_MS = 20;

export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
