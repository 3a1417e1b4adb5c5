/** A digit to try: 28 x 28 values 0..255. */
export interface Sample {
  readonly digit: number;
  readonly pixels: Uint8Array;
}

/** Reads what makeSamples.mjs wrote. */
export async function loadSamples(url: URL): Promise<Sample[]> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The samples did not load: ${url} answered ${response.status}`);
  const samples = (await response.json()) as { digit: number; pixels: string }[];
  return samples.map(({ digit, pixels }) => ({
    digit,
    pixels: Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0)),
  }));
}
