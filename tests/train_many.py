"""Runs pytorch/train.py on several runs, one after another in the same processes.

    torchrun … tests/train_many.py '[["RUN", "--steps", "60"], …]'

For the tests: PyTorch takes seconds to start. What ends one of them is printed, and the next begins.
"""
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "pytorch"))
import torch.distributed as dist  # noqa: E402
import train  # noqa: E402

# the processes stay joined from one run to the next
init, destroy = dist.init_process_group, dist.destroy_process_group
dist.init_process_group = lambda backend: None if dist.is_initialized() else init(backend)
dist.destroy_process_group = lambda: None

for arguments in json.loads(sys.argv[1]):
    sys.argv = ["train.py", *arguments]
    try:
        train.main()
    except SystemExit as end:
        print(end, flush=True)
if dist.is_initialized():
    destroy()
