"""Loads a model file into PyTorch, runs it, and writes a model of its own.

    python3 tests/round_trip.py SPEC.json

SPEC.json: {"kind": "unet"|"reverse"|"flows", "options": {...}, "t": [...], "labels"?: [...], "model": in, "input": in,
"output": out, "own_model": out, "own_output": out}; all files are safetensors.
"""
import json
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "pytorch"))
import tensor_file  # noqa: E402
from models import Flows, ReverseModel, UNet  # noqa: E402

spec = json.load(open(sys.argv[1]))
torch.manual_seed(0)
net = {"unet": UNet, "reverse": ReverseModel, "flows": Flows}[spec["kind"]](**spec["options"])
x = torch.from_numpy(tensor_file.read(spec["input"])[0]["x"])


def write(state_path, output_path):
    with torch.no_grad():
        if spec["kind"] == "unet":
            labels = torch.tensor(spec["labels"]) if "labels" in spec else None
            y = net(x.permute(0, 3, 1, 2), torch.tensor(spec["t"]), labels=labels)
            y = y.permute(0, 2, 3, 1)
        else:
            y = net(x.expand(len(spec["t"]), *x.shape), spec["t"])
    tensor_file.write(output_path, {"y": y.contiguous().numpy()})
    if state_path:
        state = {name: value.contiguous().numpy() for name, value in net.state_dict().items()}
        tensor_file.write(state_path, state)


write(spec["own_model"], spec["own_output"])
given, _ = tensor_file.read(spec["model"])
net.load_state_dict({name: torch.from_numpy(value) for name, value in given.items()}, strict=True)
write(None, spec["output"])
