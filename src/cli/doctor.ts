import { type EngineInfo, type EngineName, engineInfo, init, TillerError, tensor, version } from '../index.js';

const OTHERS: readonly EngineName[] = ['webgpu', 'wasm', 'reference'];

/** Whether the engine gets a small product right. */
async function computes(): Promise<boolean> {
  const side = 33;
  const data = Array.from({ length: side * side }, (_, i) => ((i * 7) % 11) - 5);
  const x = tensor(data, { shape: [side, side], dtype: 'f32' });
  const product = await x.matmul(x).data();
  return [...product].every((value, at) => {
    const [row, column] = [Math.floor(at / side), at % side];
    let sum = 0;
    for (let k = 0; k < side; k++) sum += data[row * side + k]! * data[k * side + column]!;
    return value === sum;
  });
}

/** The engines that were not chosen: what they would be, or why they cannot be had. */
async function others(chosen: EngineName): Promise<{ engine: EngineName; available: boolean; detail: string }[]> {
  const found = [];
  for (const engine of OTHERS.filter((name) => name !== chosen)) {
    try {
      const { adapter, software } = await init({ engine });
      found.push({ engine, available: true, detail: `${adapter}${software ? ' (software)' : ''}` });
    } catch (error) {
      if (!(error instanceof TillerError)) throw error;
      found.push({ engine, available: false, detail: error.message });
    }
  }
  return found;
}

const field = (name: string, value: string): string => `${name.padEnd(10)}${value}`;

/** Words in lines of at most `width` characters, under a column. */
function wrapped(text: string, width = 100): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join(`\n${' '.repeat(10)}`);
}

function format(info: EngineInfo, works: boolean, rest: Awaited<ReturnType<typeof others>>): string {
  const limits = Object.entries(info.limits);
  const longest = Math.max(0, ...limits.map(([name]) => name.length));
  return [
    `tiller ${version}, Node ${process.version} on ${process.platform} ${process.arch}`,
    field('engine', info.engine),
    field('adapter', `${info.adapter}${info.software ? ' (software: the CPU does the work)' : ''}`),
    field('why', wrapped(info.why)),
    field('computes', works ? 'yes: a product of matrices is exact' : 'NO: a product of matrices is wrong'),
    field('features', wrapped(info.features.join(', ') || 'none')),
    ...(info.checks ?? []).map((check, i) => field(i === 0 ? 'tried' : '', wrapped(check))),
    field('limits', limits.map(([name, value]) => `${name.padEnd(longest)}  ${value}`).join(`\n${' '.repeat(10)}`)),
    ...rest.map(({ engine, available, detail }, i) =>
      field(i === 0 ? 'others' : '', wrapped(`${engine}: ${available ? detail : `not here: ${detail}`}`)),
    ),
  ].join('\n');
}

/** Prints where work executes on this machine, why, and what else there is. Fails where the engine computes wrongly. */
export async function doctor(json: boolean): Promise<void> {
  const info = engineInfo();
  const works = await computes();
  const rest = await others(info.engine);
  console.log(json ? JSON.stringify({ version, ...info, computes: works, others: rest }) : format(info, works, rest));
  if (!works) process.exitCode = 1;
}
