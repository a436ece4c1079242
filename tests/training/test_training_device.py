import time

import pytest

from nasbench.errors import BadOption


@pytest.fixture
def device(torch):
    from nasbench.training import device

    return device


def test_the_cpu_is_named_in_words(device):
    cpu = device.resolve_device("CPU")
    assert device.device_kind(cpu) == "cpu"
    assert device.device_words(cpu).endswith("(1 core)")
    assert len(device.device_words(cpu)) > len(" (1 core)")


@pytest.mark.parametrize("name", ["tpu", "cuda:", "cuda:x", "cpu:0", ""])
def test_a_name_that_is_no_device_is_refused(device, name):
    with pytest.raises(BadOption, match=f"device: expected cpu, cuda or cuda:N, got '{name}'"):
        device.resolve_device(name)


def test_cuda_without_cuda_is_refused(torch, device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BadOption, match=r"device: 'cuda:1' needs CUDA, but torch .* finds no CUDA device"):
        device.resolve_device("cuda:1")


def test_a_cuda_device_that_is_not_there_is_refused(torch, device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(BadOption, match="device: expected cuda:0 to cuda:1, got 'cuda:2'"):
        device.resolve_device("cuda:2")


def test_a_repeatable_stretch_has_one_thread_and_gives_the_others_back(torch, device):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with device.repeatable(torch.device("cpu")):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_waking_draws_nothing(torch, device):
    before = torch.get_rng_state()
    device.wake.__wrapped__(torch.device("cpu"))
    assert torch.equal(before, torch.get_rng_state())


def work(seconds):
    """Keep the processor busy for so many CPU seconds."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_stopwatch_adds_up_its_blocks_and_nothing_between_them(torch):
    from nasbench.training.stopwatch import Stopwatch

    watch = Stopwatch(torch.device("cpu"))
    for _ in range(2):
        with watch:
            work(0.02)
        work(0.05)
    assert 0.04 <= watch.seconds < 0.09


def test_a_stopwatch_on_a_cpu_counts_work_and_not_waiting(torch):
    from nasbench.training.stopwatch import Stopwatch

    watch = Stopwatch(torch.device("cpu"))
    with watch:
        time.sleep(0.1)
    assert watch.seconds < 0.05


def test_a_stopwatch_counts_a_block_that_ends_in_an_error(torch):
    from nasbench.training.stopwatch import Stopwatch

    watch = Stopwatch(torch.device("cpu"))

    def fail():
        with watch:
            work(0.01)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert watch.seconds >= 0.01
