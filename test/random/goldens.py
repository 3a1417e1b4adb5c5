#!/usr/bin/python3
"""Writes test/random/gammaGradients.json: what PyTorch says of the derivatives of gamma samples by their shape parameter."""
import json
import pathlib

import numpy as np
import torch

rng = np.random.default_rng(5)
alpha = np.exp(rng.uniform(np.log(0.05), np.log(5000), 600)).astype(np.float32)
x = rng.gamma(alpha.astype(np.float64)).astype(np.float32)
extreme = [(0.3, 1e-8), (1, 1e-5), (2, 30), (9, 1), (9, 40), (50, 20), (50, 46), (50, 56), (300, 300), (0.05, 5)]
alpha = np.concatenate([alpha, np.float32([a for a, _ in extreme])])
x = np.concatenate([np.maximum(x, 1e-30), np.float32([b for _, b in extreme])])
slope = torch._standard_gamma_grad(torch.tensor(alpha, dtype=torch.float64), torch.tensor(x, dtype=torch.float64)).numpy()
short = lambda values: [float(f'{v:.8g}') for v in values]
path = pathlib.Path(__file__).parent / 'gammaGradients.json'
path.write_text(json.dumps({'alpha': short(alpha), 'x': short(x), 'slope': short(slope)}, separators=(',', ':')) + '\n')
