import { ArgumentError } from '../graph/index.js';
import { flatten, type Tensor } from '../tensor/index.js';
import { Module } from './module.js';

/** A module from one tensor to one tensor. */
export interface Layer extends Module {
  forward(x: Tensor): Tensor;
}

/** Layers one after another. Their parameters are named by position: `0.weight`, `2.weight`. */
export class Sequential extends Module {
  readonly layers: readonly Layer[];

  constructor(...layers: readonly Layer[]) {
    super();
    layers.forEach((layer, i) => {
      if (!(layer instanceof Module)) throw new ArgumentError(`[Sequential] argument ${i} is no Module`);
    });
    this.layers = layers;
  }

  override namedChildren(): [name: string, child: Module][] {
    // Named by position alone, as in the files that PyTorch saves.
    return super.namedChildren().map(([name, child]) => [name.replace(/^layers\./, ''), child]);
  }

  forward(x: Tensor): Tensor {
    return this.layers.reduce((value, layer) => layer.forward(value), x);
  }
}

/** Joins the axes from `startDim` to `endDim` into one: [N, C, H, W] to [N, C * H * W] by default. */
export class Flatten extends Module {
  constructor(
    readonly startDim = 1,
    readonly endDim = -1,
  ) {
    super();
  }

  forward(x: Tensor): Tensor {
    return flatten(x, this.startDim, this.endDim);
  }
}
