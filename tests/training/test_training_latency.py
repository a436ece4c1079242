import pytest

from nasbench.errors import BadOption


@pytest.fixture
def network(torch):
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))


def test_latency_is_the_median_of_the_passes_that_count(torch, network, monkeypatch):
    from nasbench.training import latency

    seconds = iter([99.0] * latency.WARM_UP_PASSES + [3.0, 1.0, 2.0])

    class Clock:
        def __init__(self, device):
            self.seconds = next(seconds)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(latency, "Stopwatch", Clock)
    assert latency.measure_latency(network, (1, 8, 8), device=torch.device("cpu"), passes=3) == 2.0


def test_the_network_keeps_its_mode(torch, network):
    from nasbench.training.latency import measure_latency

    measure_latency(network.train(), (1, 8, 8), device=torch.device("cpu"), passes=1)
    assert network.training


def test_fewer_than_one_pass_is_refused(torch, network):
    from nasbench.training.latency import measure_latency

    with pytest.raises(BadOption, match="passes: expected a whole number >= 1, got 0"):
        measure_latency(network, (1, 8, 8), device=torch.device("cpu"), passes=0)
