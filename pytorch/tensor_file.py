"""Safetensors files as the scripts write them: sorted, and with a checksum over all the rest."""
import hashlib
import json
import os
import struct

import numpy as np

DTYPES = {"F32": np.float32, "I32": np.int32, "U8": np.uint8}


def read(path):
    """The tensors by name, and the metadata, of a file."""
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(content[begin:end], DTYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"]).copy()
    if "sha256" in metadata:
        rest = {name: text for name, text in metadata.items() if name != "sha256"}
        if checksum(tensors, rest) != metadata["sha256"]:
            raise SystemExit(f"error: {path} is damaged: its checksum does not fit its content")
    return tensors, metadata


def encode(tensors, metadata):
    """The bytes of a file; the same tensors and metadata give the same bytes as in common/files."""
    header, parts, end = {}, [], 0
    if metadata:
        header["__metadata__"] = dict(sorted(metadata.items()))
    for name, tensor in sorted(tensors.items()):
        dtype = next(name for name, kind in DTYPES.items() if tensor.dtype == kind)
        part = np.ascontiguousarray(tensor).tobytes()
        offsets = [end, end + len(part)]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": offsets}
        end += len(part)
        parts.append(part)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(parts)


def checksum(tensors, metadata):
    return hashlib.sha256(encode(tensors, metadata)).hexdigest()


def write(path, tensors, metadata=None):
    """Writes a file with a checksum, whole or not at all."""
    metadata = dict(metadata or {})
    metadata["sha256"] = checksum(tensors, metadata)
    write_bytes(path, encode(tensors, metadata))


def write_bytes(path, content):
    """Writes a file whole or not at all: beside its place, flushed to the disk, then renamed."""
    temporary = f"{path}.part"
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
