"""Threefry-2x32 with 20 rounds (Salmon and others, 2011), checked with the vectors that its authors publish."""
import numpy as np

from .suite import Suite

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def threefry(key, counter):
    mask = 2**32 - 1
    keys = (*key, key[0] ^ key[1] ^ 0x1BD11BDA)
    x0, x1 = (counter[0] + keys[0]) & mask, (counter[1] + keys[1]) & mask
    for group in range(5):
        for r in ROTATIONS[group % 2]:
            x0 = (x0 + x1) & mask
            x1 = ((x1 << r) | (x1 >> (32 - r))) & mask ^ x0
        x0 = (x0 + keys[(group + 1) % 3]) & mask
        x1 = (x1 + keys[(group + 2) % 3] + group + 1) & mask
    return x0, x1


def cases():
    ones = 2**32 - 1
    assert threefry((0, 0), (0, 0)) == (0x6B200159, 0x99BA4EFE)
    assert threefry((ones, ones), (ones, ones)) == (0x1CB996FC, 0xBB002BE7)
    assert threefry((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3)) == (0xC4923A9C, 0x483DF7A0)
    suite = Suite()
    for key in ((0, 0), (1, 0), (0, 1), (ones, ones), (0x13198A2E, 0x03707344)):
        words = [threefry(key, (i, 0))[0] for i in range(21)]
        suite.known('randomBits', str(list(key)), [[3, 7]], [np.array(k, np.uint32) for k in key], [np.array(words, np.uint32).reshape(3, 7)])
    return suite.cases
