"""A run's folder as the scripts keep it: what is read to go on, and what is written on the way."""
import datetime
import fcntl
import json
import os

import numpy as np
import tensor_file
import torch

NEWEST, PREVIOUS, NEXT = "state.safetensors", "state.previous.safetensors", "state.next.safetensors"


class Layout:
    """How a model's parameters lie behind each other in the optimizer's flat vectors.

    There a weight has the layout of the scripts: a convolution is [kh, kw, in, out], a linear map
    [in, out]; PyTorch's are [out, in, kh, kw] and [out, in].
    """

    def __init__(self, model):
        self.shapes = {name: p.shape for name, p in model.named_parameters()}
        self.names = sorted(self.shapes, key=place)

    def join(self, tensors):
        """One vector of tensors by name."""
        return np.concatenate([turn(name, tensors[name]).reshape(-1).numpy() for name in self.names])

    def split(self, vector):
        """The tensors by name of a vector."""
        tensors, at = {}, 0
        for name in self.names:
            like = turn(name, torch.empty(self.shapes[name]))
            part = torch.from_numpy(vector[at : at + like.numel()]).reshape(like.shape)
            tensors[name] = turn_back(name, part).reshape(self.shapes[name]).contiguous()
            at += like.numel()
        return tensors


def place(name):
    """Where a parameter comes in the scripts' order."""
    if name.startswith("network_"):  # paper 1: the head, then each layer of all tails
        part, *rest = name.split(".")
        row, layer, kind = (0, *rest) if part == "network_head" else rest
        return (part, int(layer), kind == "bias", int(row))
    if name.startswith("net."):  # paper 4 on points
        _, layer, kind = name.split(".")
        return (int(layer), kind == "bias")
    groups = ("linear1", "linear2", "label_emb", "conv1", "down", "middle", "up", "final_conv")
    part, *rest = name.split(".")
    inner = ("conv1", "dense", "conv2", "Q", "K", "V", "nin", "conv")
    block = (int(rest[0]), inner.index(rest[1])) if len(rest) > 1 else (0, 0)
    return (groups.index(part), *block, rest[-1] in ("bias", "b"))


def turn(name, tensor):
    """From PyTorch's layout to the scripts'."""
    if tensor.dim() == 4 and not name.endswith(".b"):
        return tensor.permute(2, 3, 1, 0)
    return tensor.t() if is_linear(name, tensor) else tensor


def turn_back(name, tensor):
    """From the scripts' layout to PyTorch's."""
    if tensor.dim() == 4 and not name.endswith(".b"):
        return tensor.permute(3, 2, 0, 1)
    return tensor.t() if is_linear(name, tensor) else tensor


def is_linear(name, tensor):
    """Whether it is a linear map's, which lies the other way round."""
    return tensor.dim() == 2 and not name.endswith(".W") and name != "label_emb.weight"


def now_in_words():
    """The time in ISO 8601, as JavaScript writes it."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Run:
    """A run's folder."""

    def __init__(self, path):
        self.path = path
        self.record = self._read_record()
        self.settings = self.record["settings"]
        self.script = self.record["script"]

    def file(self, name):
        return os.path.join(self.path, name)

    def lock(self):
        """Holds the folder until the process ends, as the scripts do."""
        self._lock = open(self.file("run.lock"), "w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit(f"error: another process is working in {self.path}; wait until it ends")

    def read_state(self):
        """The newest state that is whole: tensors and metadata."""
        problems = []
        for name in (NEXT, NEWEST, PREVIOUS):
            try:
                return tensor_file.read(self.file(name))
            except FileNotFoundError:
                continue
            except (SystemExit, ValueError, KeyError) as problem:
                problems.append(str(problem).replace("error: ", ""))
        why = "; ".join(problems) or "it has no checkpoint yet: let the script make its first steps"
        raise SystemExit(f"error: {self.path} cannot be gone on with: {why}")

    def write_checkpoint(self, state, metadata, model, losses):
        """Writes state, model, and the loss curve as far as the state goes."""
        identity = {name: text for name, text in metadata.items() if name != "sha256"}
        identity["step"] = str(len(losses))
        tensors = {**state, "history.loss": np.array(losses, np.float32)}
        tensor_file.write(self.file(NEXT), tensors, identity)
        if os.path.exists(self.file(NEWEST)):
            os.replace(self.file(NEWEST), self.file(PREVIOUS))
        os.replace(self.file(NEXT), self.file(NEWEST))
        tensor_file.write(self.file("model.safetensors"), model)
        rows = [f"{i + 1},{javascript_number(loss)}\n" for i, loss in enumerate(losses)]
        tensor_file.write_bytes(self.file("loss.csv"), ("step,loss\n" + "".join(rows)).encode())

    def update(self, **changes):
        """Changes run.json."""
        self.record = {**self.record, **changes, "updated": now_in_words()}
        text = json.dumps(self.record, indent=2, ensure_ascii=False) + "\n"
        tensor_file.write_bytes(self.file("run.json"), text.encode())

    def _read_record(self):
        path = os.path.join(self.path, "run.json")
        try:
            with open(path) as file:
                record = json.load(file)
        except (OSError, ValueError) as problem:
            raise SystemExit(f"error: cannot read {path}: {problem}; give the folder of a run")
        if not isinstance(record, dict) or not isinstance(record.get("settings"), dict):
            raise SystemExit(f"error: {path} is not a run's record")
        return record


def javascript_number(value):
    """A number as JavaScript writes it: the shortest text that gives it back."""
    text = repr(float(np.float32(value)))
    if text.endswith(".0"):
        return text[:-2]
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return text
    power = int(exponent)
    if power < -6:
        return f"{mantissa}e{power}"
    return f"{float(text):.{len(mantissa.replace('.', '').lstrip('-')) - 1 - power}f}"
