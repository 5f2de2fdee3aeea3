"""What train.py asks of a paper: its model, where the weights stand in a run, and its loss."""
import torch


class Paper:
    clip_norm = None  # the largest norm of the gradient
    ema_decay = 0.999  # of the averaged weights
    averaged = False  # whether these are the ones to draw with
    leaves_out = False  # whether a step may leave parameters out
    model = None  # what is trained

    def __init__(self, run):
        self.settings = run.settings
        self.seed, self.batch = run.settings["seed"], run.settings["batch"]

    def loss(self, model, step, part, device):
        """The share of the batch's loss that the samples part = (from, to) have."""
        raise NotImplementedError

    def load(self, state):
        """Takes the weights from a run's state."""
        names = dict(self.model.named_parameters())
        self.model.load_state_dict({name: torch.from_numpy(state[name]) for name in names})

    def file_of(self, weights):
        """A model file's tensors: those of the model, by name, and what else is in it."""
        return weights

    def before_step(self, step, optimizer):
        """What is done between two steps."""

    def rate_of(self, step):
        """By which step of how many the learning rate goes."""
        return step, self.settings["steps"]
