import { SingleBar } from 'cli-progress';

/** Where a training says how far it is. */
export interface Progress {
  startEpoch(epoch: number): void;
  /** After each step: the loss of the batch, the accuracy on it, and how fast it goes. */
  step(step: number, loss: number, accuracy: number, imagesPerSecond: number): void;
  endEpoch(line: string): void;
  say(line: string): void;
  /** Gives the terminal back, also in the middle of an epoch. Twice is fine. */
  stop(): void;
}

/** A bar on a terminal, plain lines elsewhere; all on stderr where stdout is wanted for data. */
export function progressOn(stream: NodeJS.WriteStream, epochs: number, stepsPerEpoch: number): Progress {
  return stream.isTTY ? barProgress(stream, epochs, stepsPerEpoch) : lineProgress(stream, epochs, stepsPerEpoch);
}

const fields = (loss: number, accuracy: number, imagesPerSecond: number) => ({
  loss: loss.toFixed(4),
  accuracy: `${(accuracy * 100).toFixed(1)} %`,
  speed: `${Math.round(imagesPerSecond).toLocaleString('en')} images/s`,
});

function barProgress(stream: NodeJS.WriteStream, epochs: number, stepsPerEpoch: number): Progress {
  let bar: SingleBar | null = null;
  return {
    startEpoch(epoch) {
      bar = new SingleBar({
        stream,
        format: `epoch ${epoch}/${epochs} [{bar}] {value}/{total}  loss {loss}  accuracy {accuracy}  {speed}`,
        barCompleteChar: '█',
        barIncompleteChar: '░',
        barsize: 24,
        hideCursor: true,
        clearOnComplete: true,
        gracefulExit: true,
      });
      bar.start(stepsPerEpoch, 0, fields(0, 0, 0));
    },
    step(step, loss, accuracy, speed) {
      bar?.update(step, fields(loss, accuracy, speed));
    },
    endEpoch(line) {
      bar?.stop();
      stream.write(`${line}\n`);
    },
    say: (line) => stream.write(`${line}\n`),
    // Its timer would keep the process alive.
    stop: () => bar?.stop(),
  };
}

function lineProgress(stream: NodeJS.WriteStream, epochs: number, stepsPerEpoch: number): Progress {
  let epochNow = 0;
  const every = Math.max(1, Math.ceil(stepsPerEpoch / 4));
  const say = (line: string) => void stream.write(`${line}\n`);
  return {
    startEpoch(epoch) {
      epochNow = epoch;
    },
    step(step, loss, accuracy, speed) {
      if (step % every !== 0) return;
      const f = fields(loss, accuracy, speed);
      say(
        `epoch ${epochNow}/${epochs}  step ${step}/${stepsPerEpoch}  loss ${f.loss}  accuracy ${f.accuracy}  ${f.speed}`,
      );
    },
    endEpoch: say,
    say,
    stop() {},
  };
}
