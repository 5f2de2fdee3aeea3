"""The random numbers of common/random.ts: a function of seed, stream, step and position.

Every process draws the numbers of the whole batch and takes its own part of them, so that the number
of processes changes no number.
"""
import numpy as np

ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
PARITY = 0x1BD11BDA


def threefry(key, x, y):
    """Threefry-2x32-20 (Salmon et al. 2011) of counters x and y, arrays of 32-bit words."""
    k0, k1 = (np.uint32(word) for word in key)
    keys = (k0, k1, k0 ^ k1 ^ np.uint32(PARITY))
    with np.errstate(over="ignore"):  # words wrap round
        x, y = x + k0, y + k1
        for group in range(1, 6):
            first = 0 if group % 2 else 4
            for rotation in ROTATIONS[first : first + 4]:
                x = x + y
                y = ((y << np.uint32(rotation)) | (y >> np.uint32(32 - rotation))) ^ x
            x = x + keys[group % 3]
            y = y + keys[(group + 1) % 3] + np.uint32(group)
    return x, y


def stream_key(seed, stream):
    """Two key words: the seed's halves encrypt the hash (FNV-1a) of the stream's name."""
    h = 0x811C9DC5
    for unit in stream:
        h = ((h ^ ord(unit)) * 0x01000193) & 0xFFFFFFFF
    seed_key = (seed & 0xFFFFFFFF, seed >> 32)
    x, y = threefry(seed_key, np.array([h], np.uint32), np.array([len(stream)], np.uint32))
    return int(x[0]), int(y[0])


def random_bits(seed, stream, step, count, first=0):
    """Words of 32 random bits: `count` of the draw's, from number `first` on."""
    pairs = np.arange(first // 2, (first + count + 1) // 2, dtype=np.uint32)
    words = threefry(stream_key(seed, stream), pairs, np.full_like(pairs, step))
    return np.stack(words, axis=1).reshape(-1)[first % 2 :][:count]


def uniform(seed, stream, step, count, first=0):
    """Numbers uniform in [0, 1), multiples of 2**-24."""
    return (random_bits(seed, stream, step, count, first) >> np.uint32(8)) / 2.0**24


def normal(seed, stream, step, count, first=0):
    """Numbers of the standard normal distribution, by pairs (Box & Muller 1958)."""
    start, end = first - first % 2, first + count + (first + count) % 2
    bits = random_bits(seed, stream, step, end - start, start).astype(np.float64)
    radius = np.sqrt(-2 * np.log((bits[0::2] + 0.5) / 2**32))
    angle = 2 * np.pi * (bits[1::2] / 2**32)
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return pairs.reshape(-1)[first - start :][:count].astype(np.float32)


def integers(seed, stream, step, count, low, high, first=0):
    """Integers uniform in low..high - 1."""
    bits = random_bits(seed, stream, step, count, first).astype(np.float64)
    return low + np.floor(bits * (high - low) / 2**32).astype(np.int64)
