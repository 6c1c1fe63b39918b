"""NNK in threads that outlive a call."""

import threading

import numpy as np

from analysis_lib.nnk import weights as nnk


def test_no_one_waits_for_threads_that_are_busy(rng, monkeypatch):
    monkeypatch.setattr(nnk, "_n_cores", lambda: 2)
    points, free, given_up = rng.normal(size=(30, 2)), threading.Event(), []
    kernel = np.exp(-np.square(points[:, None] - points).sum(axis=2) / 2)
    nnk.nnk_weights(kernel, nnk.nearest(kernel, 5))  # compiled before the clock starts
    timer = threading.Timer(5, lambda: (given_up.append(True), free.set()))
    timer.start()
    pool = nnk._pool(nnk.getpid())
    busy = [pool.submit(free.wait) for _ in range(pool._max_workers)]
    assert nnk.nnk_weights(kernel, nnk.nearest(kernel, 5)).violation.max() < 1e-9
    timer.cancel()
    free.set()
    assert all(each.result() for each in busy)
    assert not given_up
