#!/usr/bin/python3
"""Writes test/dtypes/halves.json: numpy's float16 for all bits, and its rounding of float32 numbers around them; torch's promotion.

Run with Debian's python3-numpy and python3-torch:  /usr/bin/python3 test/dtypes/halves.py
"""
import base64
import json
import pathlib

import numpy as np
import torch

ALL = np.arange(65536, dtype=np.uint16)
VALUES = ALL.view(np.float16).astype(np.float32)
rng = np.random.default_rng(7)

# Each half, the middle to the next one, and the floats beside that middle; then all magnitudes at random.
finite = np.sort(VALUES[np.isfinite(VALUES)])[:: 16]
nexts = np.nextafter(finite.astype(np.float16), np.float16(np.inf)).astype(np.float32)
with np.errstate(invalid='ignore'):
    middles = ((finite.astype(np.float64) + nexts.astype(np.float64)) / 2).astype(np.float32)
middles = middles[np.isfinite(middles)]
around = [np.nextafter(middles, np.float32(s)) for s in (-np.inf, np.inf)]
edges = np.array([0, -0.0, np.inf, -np.inf, np.nan, 65504, 65519.996, 65520, 65536, 1e30, -65520, 2**-24, 2**-25, 2**-25 * 1.0001,
                  2**-26, 1e-30, 1e-42, -1e-42, 2**-14, 2**-14 - 2**-25, -2**-24], dtype=np.float32)
random = rng.integers(0, 2**32, 4096, dtype=np.uint32).view(np.float32)
floats = np.concatenate([edges, middles, *around, random])
with np.errstate(over='ignore'):
    rounded = floats.astype(np.float16).view(np.uint16)

DTYPES = {'f32': torch.float32, 'f16': torch.float16, 'i32': torch.int32, 'i8': torch.int8, 'u8': torch.uint8, 'bool': torch.bool}
NAMES = {v: k for k, v in DTYPES.items()} | {torch.int16: 'i16'}
promoted = {a + ' ' + b: NAMES[torch.promote_types(DTYPES[a], DTYPES[b])] for a in DTYPES for b in DTYPES}
castable = {a + ' ' + b: torch.can_cast(DTYPES[a], DTYPES[b]) for a in DTYPES for b in DTYPES}

encode = lambda array: base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
path = pathlib.Path(__file__).with_suffix('.json')
path.write_text(json.dumps({
    # Of the bits without a sign.
    'values': encode(VALUES[:32768]),
    'floats': encode(floats),
    'rounded': encode(rounded),
    'promoted': promoted,
    'castable': castable,
}, indent=1) + '\n')
print(path.stat().st_size, 'bytes,', len(floats), 'floats')
