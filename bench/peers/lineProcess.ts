import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export type Answer = Readonly<Record<string, unknown>>;

/** A process that answers a line of JSON with a line of JSON. */
export class LineProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #complaints = '';

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(command, args, { env, stdio: 'pipe' });
    this.#child.stderr.on('data', (text) => {
      this.#complaints += text;
    });
    this.#child.stdin.on('error', () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line. Rejects where the process has ended, or answers with an error. */
  async answer(): Promise<Answer> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the process ended: ${this.#complaints.trim().split('\n').at(-1)}`);
    const answer: Answer = JSON.parse(value);
    if (answer.error !== undefined) throw new Error(String(answer.error));
    return answer;
  }

  ask(command: object): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    return this.answer();
  }

  end(): void {
    this.#child.stdin.end();
    this.#child.kill();
  }
}
