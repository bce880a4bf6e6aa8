"""Which partition a user belongs to, as producers compute it.

Java and kafka-python hash keys by murmur2, librdkafka by CRC-32 unless told otherwise; both then
take the remainder by the number of partitions.
"""

import zlib

import numpy as np
from numba import njit
from numpy.typing import NDArray

SEED = np.uint32(0x9747B28C)
MIX = np.uint32(0x5BD1E995)


class Partitioner:
    """Compute the partition of a user.

    >>> Partitioner("murmur2", 4)("ann"), Partitioner("crc32", 4)("ann")
    (2, 3)
    """

    def __init__(self, how: str, partitions: int) -> None:
        self.partitions = partitions
        self._hash = _murmur2_of if how == "murmur2" else zlib.crc32

    def __call__(self, user: str) -> int:
        """Return the partition that a user's events belong to."""
        return self._hash(user.encode()) % self.partitions


def _murmur2_of(key: bytes) -> int:
    """Return the hash without its sign, which Kafka drops before it takes the remainder."""
    return int(_murmur2(np.frombuffer(key, np.uint8))) & 0x7FFFFFFF


@njit(cache=True)
def _murmur2(data: NDArray[np.uint8]) -> np.uint32:
    """MurmurHash2, 32 bits, little-endian, by Austin Appleby; seeded as Kafka seeds it."""
    size = len(data)
    h = SEED ^ np.uint32(size)
    for k in range(size // 4):
        word = np.uint32(0)
        for byte in range(4):
            word |= np.uint32(data[4 * k + byte]) << np.uint32(8 * byte)
        word = np.uint32(word * MIX)
        word ^= word >> np.uint32(24)
        h = np.uint32(h * MIX) ^ np.uint32(word * MIX)
    rest = size % 4
    if rest > 0:
        for byte in range(rest):
            h ^= np.uint32(data[size - rest + byte]) << np.uint32(8 * byte)
        h = np.uint32(h * MIX)
    h ^= h >> np.uint32(13)
    h = np.uint32(h * MIX)
    return h ^ (h >> np.uint32(15))
