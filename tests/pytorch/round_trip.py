"""Loads a model file into PyTorch, runs it, and writes a model of its own.

    python3 round_trip.py SPEC.json

SPEC.json: {"kind": "unet"|"reverse"|"flows", "options": {...}, "t": [...], "model": in, "input": in,
"output": out, "own_model": out, "own_output": out}; all files are safetensors.
"""
import json
import sys

import torch
from models import Flows, ReverseModel, UNet
from safetensors.numpy import load_file, save_file

spec = json.load(open(sys.argv[1]))
torch.manual_seed(0)
net = {"unet": UNet, "reverse": ReverseModel, "flows": Flows}[spec["kind"]](**spec["options"])
x = torch.from_numpy(load_file(spec["input"])["x"])


def write(state_path, output_path):
    with torch.no_grad():
        if spec["kind"] == "unet":
            y = net(x.permute(0, 3, 1, 2), torch.tensor(spec["t"])).permute(0, 2, 3, 1)
        else:
            y = torch.stack([net(x, t) for t in spec["t"]])
    save_file({"y": y.contiguous().numpy()}, output_path)
    if state_path:
        state = {name: value.contiguous().numpy() for name, value in net.state_dict().items()}
        save_file(state, state_path)


write(spec["own_model"], spec["own_output"])
given = load_file(spec["model"])
net.load_state_dict({name: torch.from_numpy(value) for name, value in given.items()}, strict=True)
write(None, spec["output"])
