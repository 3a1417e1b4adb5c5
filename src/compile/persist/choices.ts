import type { Choice, ChoiceStore, Trial } from '../../engine/tuning.js';
import { HEAD_WORDS, nameOf, seal, unsealed } from './hash.js';
import type { Shelf } from './index.js';

/** Of the record's form. */
const SCHEMA = 1;

// A record: its head; a JSON text, padded with blanks.
const MAGIC = 0x4e_55_54_54;

/** What a record is of. */
interface ChoiceKey {
  readonly target: string;
  readonly bucket: string;
}

interface Written extends ChoiceKey {
  readonly schema: number;
  readonly choice: Choice;
}

/** The bytes to keep for a choice. */
export function encodeChoice({ target, bucket }: ChoiceKey, choice: Choice): Uint8Array<ArrayBuffer> {
  const written: Written = { schema: SCHEMA, target, bucket, choice };
  const text = new TextEncoder().encode(JSON.stringify(written));
  const bytes = new Uint8Array(HEAD_WORDS * 4 + Math.ceil(text.length / 4) * 4).fill(0x20);
  bytes.set(text, HEAD_WORDS * 4);
  seal(bytes, MAGIC);
  return bytes;
}

/** The choice in a record; null where the bytes are damaged, or a record of something else. */
export function decodeChoice(bytes: Uint8Array, key: ChoiceKey): Choice | null {
  const own = unsealed(bytes, MAGIC)?.bytes;
  if (!own) return null;
  try {
    const written = JSON.parse(new TextDecoder().decode(own.subarray(HEAD_WORDS * 4))) as Written;
    const { schema, target, bucket, choice } = written;
    return schema === SCHEMA && target === key.target && bucket === key.bucket && isChoice(choice) ? choice : null;
  } catch {
    return null;
  }
}

function isChoice({ schedule, best, trials, complete }: Choice): boolean {
  return (
    typeof schedule === 'object' &&
    schedule !== null &&
    typeof best === 'string' &&
    typeof complete === 'boolean' &&
    trials.every(isTrial) &&
    trials.some((trial) => trial.schedule === best && trial.outcome === 'measured')
  );
}

function isTrial({ schedule, ms, heuristicMs, outcome }: Trial): boolean {
  if (typeof schedule !== 'string') return false;
  if (outcome === 'wrong' || outcome === 'failed') return ms === null && heuristicMs === null;
  return outcome === 'measured' && [ms, heuristicMs].every((value) => Number.isFinite(value) && value! > 0);
}

/** The choices of one engine: of this process, and where there is a shelf, of those before it. */
export class KeptChoices implements ChoiceStore {
  readonly #shelf: Shelf | null;
  readonly #own = new Map<string, Choice>();

  constructor(shelf: Shelf | null) {
    this.#shelf = shelf;
  }

  async recall(bucket: string): Promise<Choice | null> {
    const own = this.#own.get(bucket);
    if (own !== undefined || this.#shelf === null) return own ?? null;
    const { store, target } = this.#shelf;
    const name = this.#nameOf(bucket, target);
    const bytes = await store.read(name);
    if (bytes === null) return null;
    const choice = decodeChoice(bytes, { target, bucket });
    if (choice === null) await store.remove(name);
    else this.#own.set(bucket, choice);
    return choice;
  }

  async keep(bucket: string, choice: Choice): Promise<void> {
    this.#own.set(bucket, choice);
    if (this.#shelf === null) return;
    const { store, target } = this.#shelf;
    await store.write(this.#nameOf(bucket, target), encodeChoice({ target, bucket }, choice));
  }

  #nameOf(bucket: string, target: string): string {
    return nameOf(`choice\n${target}\n${bucket}`);
  }
}
