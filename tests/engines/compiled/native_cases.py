"""What the tests of the native machine share."""

import numpy as np

from bnlab.train import Run, make_trainer


def bits(array: object) -> bytes:
    """The bytes of real numbers; every NaN has the same, as WebAssembly leaves its bits open."""
    array = np.array(array)
    array[np.isnan(array)] = np.nan
    return array.tobytes()


def everything(run: Run) -> list[bytes]:
    """All that a training gives: records, state, and other views of the net; as bytes."""
    trainer = make_trainer(run, "compiled")
    found = [
        (s.loss, s.accuracy, s.val_accuracy, s.val_accuracy_train_mode, s.diverged)
        for s in trainer.steps()
    ]
    rows = [[np.nan if value is None else value for value in row] for row in found]
    x, y = trainer.part("val")
    loss, accuracy, gradient = trainer.gradient(x[:40], y[:40])
    values = [rows, trainer.machine.heap, loss, accuracy, gradient, trainer.test_accuracy()]
    trainer.update(np.arange(run.batch_size))
    last = trainer.last_metrics()
    values += [last["norm"], last["layers"], trainer.machine.heap]
    state = [tensor.double().numpy() for tensor in trainer.net.state_dict().values()]
    return [bits(np.asarray(value, float)) for value in [*values, *state]]
