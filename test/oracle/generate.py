#!/usr/bin/python3
"""Writes test/fixtures/oracle/*.json: what PyTorch says about every public op and its gradients.

Run with Debian's python3-torch and python3-numpy:  /usr/bin/python3 test/oracle/generate.py
The results are the same on every run: random inputs are seeded by the name of their case.
"""
import importlib
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True

from golden import MODULES

FIXTURES = pathlib.Path(__file__).parents[1] / 'fixtures' / 'oracle'

if __name__ == '__main__':
    FIXTURES.mkdir(parents=True, exist_ok=True)
    total = 0
    count = 0
    for name in MODULES:
        module = importlib.import_module('golden.' + name)
        cases = module.cases()
        names = [case['op'] + case['name'] for case in cases]
        assert len(set(names)) == len(names), [n for n in names if names.count(n) > 1]
        lines = ',\n'.join(json.dumps(case, separators=(',', ':'), allow_nan=False) for case in cases)
        path = FIXTURES / (module.__name__.split('.')[-1] + '.json')
        path.write_text('[\n' + lines + '\n]\n')
        assert path.stat().st_size < 5e5, path
        total += path.stat().st_size
        count += len(cases)
        print(f'{path.name}: {len(cases)} cases, {path.stat().st_size} bytes')
    print(f'{count} cases, {total} bytes in all')
    assert total < 8e6
