#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { type InitOptions, init, TillerError, version } from '../index.js';
import { doctor } from './doctor.js';
import { printRoofline } from './roofline.js';

const USAGE = `tiller ${version}

  tiller doctor     where work would execute on this machine, and why
  tiller roofline   what that reaches at best: GFLOP/s and GB/s

  --engine NAME     auto (the default), webgpu, wasm, reference
  --json            the answer as JSON
  --help, --version`;

const COMMANDS: Record<string, (json: boolean) => Promise<void>> = { doctor, roofline: printRoofline };

/** What is wrong with how it was called. */
class UsageError extends Error {}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        engine: { type: 'string', default: 'auto' },
        json: { type: 'boolean', default: false },
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
  if (command === undefined || rest.length > 0) {
    throw new UsageError(name === undefined ? 'no command' : `no such command: ${positionals.join(' ')}`);
  }
  await init({ engine: values.engine as NonNullable<InitOptions['engine']> });
  await command(values.json);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof UsageError) console.error(`tiller: ${error.message}\n\n${USAGE}`);
  else if (error instanceof TillerError) console.error(`tiller: ${error.message}`);
  else console.error(error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
