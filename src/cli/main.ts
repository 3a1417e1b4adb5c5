#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { type InitOptions, init, TillerError, version } from '../index.js';
import { doctor } from './doctor.js';
import { printRoofline } from './roofline.js';
import { printTuning, type TuneFlags } from './tune.js';
import { UsageError } from './usage.js';

const USAGE = `tiller ${version}

  tiller doctor     where work would execute on this machine, and why
  tiller roofline   what that reaches at best: GFLOP/s and GB/s
  tiller tune       measures schedules of matrix products and convolutions, and keeps the best for compile(fn, { tune: true });
                    of shapes such as: matmul 512x512x512 conv 1x64x56x56 64x3x3 padding=1 (without any, of a list)

  --engine NAME     auto (the default), webgpu, wasm, reference
  --seconds N       how long tune may take for each shape (10)
  --exhaustive      tune: measure every schedule there is, and print them all
  --json            the answer as JSON
  --help, --version`;

type Command = (flags: TuneFlags, words: readonly string[]) => Promise<void>;
const COMMANDS: Record<string, Command> = {
  doctor: ({ json }) => doctor(json),
  roofline: ({ json }) => printRoofline(json),
  tune: (flags, words) => printTuning(words, flags),
};

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        engine: { type: 'string', default: 'auto' },
        json: { type: 'boolean', default: false },
        seconds: { type: 'string' },
        exhaustive: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parse(args);
  if (values.version) return console.log(version);
  if (values.help) return console.log(USAGE);
  const [name, ...rest] = positionals;
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined || (rest.length > 0 && name !== 'tune')) {
    throw new UsageError(name === undefined ? 'no command' : `no such command: ${positionals.join(' ')}`);
  }
  const { json, exhaustive, seconds } = values;
  if (name !== 'tune' && (exhaustive || seconds !== undefined)) {
    throw new UsageError(`${exhaustive ? '--exhaustive' : '--seconds'} is an option of tune`);
  }
  await init({ engine: values.engine as NonNullable<InitOptions['engine']> });
  await command({ json, exhaustive, seconds }, rest);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof UsageError) console.error(`tiller: ${error.message}\n\n${USAGE}`);
  else if (error instanceof TillerError) console.error(`tiller: ${error.message}`);
  else console.error(error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
