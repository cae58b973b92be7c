"""What a model author can do with a `Module`, and what the engine says when it goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.support import Ran, run_engine, simulate, write_ini

LIMIT = "[General]\nnetwork = net.Net\nsim-time-limit = 5s\n"


def simulate_body(folder: Path, body: str, ini: str = "", *options: str) -> Ran:
    """Simulate a network whose ``initialize()`` is the given lines."""
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    write_ini(
        folder,
        "from oppflow.engine.model import Module\n"
        "class Part(Module):\n"
        "    def initialize(self):\n"
        "        self.level = self.parameter('level', 1)\n"
        "class Net(Module):\n"
        f"    def initialize(self):\n{lines}",
        "net.py",
    )
    write_ini(folder, LIMIT + ini)
    return simulate(folder, *options)


@pytest.mark.parametrize(
    ("call", "ini", "value"),
    [
        ("'x', 1", "", "1"),
        ("'x', 1", "**.x = 5", "5"),
        ("'x', 1", "Net.x = 2 * 3\n**.x = 5", "6"),
        ("'x', 1", "**.x = default", "1"),
        ("'x', 1", "**.x =", "1"),
        ("'x', 1.0", "**.x = 5", "5.0"),
        ("'x'", "**.x = 5", "5"),
        ("'x'", "**.x = 2.5", "2.5"),
        ("'x'", '**.x = "t"', "'t'"),
        ("'x', 'a'", '**.x = "b" + "c"', "'bc'"),
        ("'x', False", "**.x = 1 < 2", "True"),
        ("'x', 1.0, unit='s'", "**.x = 2min 30s", "150.0"),
        ("'x', 1.0, unit='ms'", "**.x = 2s", "2000.0"),
        ("'x', unit='b'", "**.x = 1KiB", "8192.0"),
        ("'x', unit='mW'", "**.x = 10dBm", "10.0"),
        ("'x', 3", "**.x = ${x=4}", "4"),
    ],
)
def test_parameters(tmp_path: Path, call: str, ini: str, value: str) -> None:
    ran = simulate_body(tmp_path, f"print('value', repr(self.parameter({call})))", ini + "\n")
    assert (ran.status, ran.errors) == (0, "")
    assert f"value {value}\n" in ran.output


@pytest.mark.parametrize(
    ("call", "ini", "message"),
    [
        ("'x'", "", "The simulation attempted to prompt for user input, set cmdenv-interactive="),
        ("'x', 1", "**.x = ask", "The simulation attempted to prompt for user input"),
        ("'x', 1", "**.x = 2.5", "Cannot cast 2.5 from type double to integer (note: no implicit"),
        ("'x', 1", '**.x = "2"', 'Cannot cast "2" from type string to integer'),
        ("'x', 'a'", "**.x = 5", "Cannot cast from type integer to string"),
        ("'x', True", "**.x = 1", "Cannot cast from type integer to bool"),
        ("'x', 1.0", "**.x = 5s", "Cannot convert unit 's' (second) to none"),
        ("'x', unit='s'", "**.x = 5", "Cannot convert unit none to 's' (second)"),
        ("'x', unit='s'", "**.x = 5m", "Cannot convert unit 'm' (meter) to 's' (second)"),
        ("'x', 1", "**.x = word", "No such variable: 'word'"),
        ("'x', 1", "**.x = 1 +", "syntax error"),
    ],
)
def test_parameters_that_cannot_be(tmp_path: Path, call: str, ini: str, message: str) -> None:
    ran = simulate_body(tmp_path, f"self.parameter({call})", ini + "\n")
    assert ran.status == 1
    assert message in ran.errors
    assert "Net.x'" in ran.errors
    assert ran.errors.startswith("\n<!> Error: ")


def test_errors_name_the_line_of_the_ini_file(tmp_path: Path) -> None:
    ran = simulate_body(tmp_path, "self.parameter('x', 1)", "**.x = word\n")
    assert f"-- at {tmp_path}/omnetpp.ini:4 -- in module (Net) Net (id=1), " in ran.errors


def test_the_command_line_comes_before_the_ini_file(tmp_path: Path) -> None:
    body = "print('value', self.parameter('x', 1))"
    assert "value 7\n" in simulate_body(tmp_path, body, "Net.x = 5\n", "--**.x=7").output


def test_parts_have_paths_and_indices(tmp_path: Path) -> None:
    body = (
        "parts = [self.submodule(Part, 'part', index) for index in range(3)]\n"
        "print([(part.path, part.level, part.index, part.parent is self) for part in parts])"
    )
    ran = simulate_body(tmp_path, body, "Net.part[1..].level = 2\n")
    assert (
        "[('Net.part[0]', 1, 0, True), ('Net.part[1]', 2, 1, True), ('Net.part[2]', 2, 2, True)]"
    ) in ran.output


def test_seed_set_and_mapping_choose_the_streams(tmp_path: Path) -> None:
    body = "print('drawn', self.random(0).random(), self.random(1).random())"

    def drawn(*options: str) -> list[str]:
        output = simulate_body(tmp_path, body, "repeat = 2\n", *options).output
        return next(line for line in output.splitlines() if line.startswith("drawn")).split()[1:]

    first = drawn("-r", "0")
    assert drawn("-r", "0") == first
    assert drawn("-r", "1") != first
    assert drawn("-r", "1", "--seed-set=0") == first
    assert drawn("-r", "0", "--**.rng-0=1", "--**.rng-1=0") == first[::-1]


def test_processes_callbacks_and_simpy_work_together(tmp_path: Path) -> None:
    body = (
        "import simpy\n"
        "server = simpy.Resource(self.env, 1)\n"
        "def customer(number):\n"
        "    with server.request() as turn:\n"
        "        yield turn\n"
        "        yield self.timeout(1)\n"
        "    print('served', number, self.now)\n"
        "self.after(0.5, lambda: self.process(customer(1)))\n"
        "self.process(customer(0))"
    )
    assert "served 0 1\nserved 1 2\n" in simulate_body(tmp_path, body).output


def test_a_process_may_fail_where_another_expects_it(tmp_path: Path) -> None:
    body = (
        "def child():\n"
        "    yield self.timeout(1)\n"
        "    raise ValueError('expected')\n"
        "def parent():\n"
        "    try:\n"
        "        yield self.process(child())\n"
        "    except ValueError as error:\n"
        "        print('caught', error)\n"
        "self.process(parent())"
    )
    ran = simulate_body(tmp_path, body)
    assert ran.status == 0
    assert "caught expected\n" in ran.output


def test_ending_in_initialize_is_no_good_end(tmp_path: Path) -> None:
    ran = simulate_body(tmp_path, "self.end_simulation()")
    assert (ran.status, ran.errors) == (1, "")
    assert ran.last_terminator == (
        "<!> Simulation stopped with endSimulation() -- in module (Net) Net (id=1), "
        "during network initialization"
    )


def test_ending_is_immediate(tmp_path: Path) -> None:
    body = (
        "def first():\n"
        "    yield self.timeout(1)\n"
        "    self.end_simulation('enough')\n"
        "def second():\n"
        "    yield self.timeout(1)\n"
        "    print('too late')\n"
        "self.process(first())\n"
        "self.process(second())"
    )
    ran = simulate_body(tmp_path, body)
    assert ran.last_terminator.startswith("<!> enough -- in module (Net) Net (id=1), at t=1s, ev")
    assert "too late" not in ran.output


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--sim-time-limit=5", "Could not read option sim-time-limit= from the configuration: C"),
        ("--sim-time-limit=1e9s", "simtime_t: Cannot represent 1e+09, out of the range (-92233"),
        ("--cmdenv-express-mode=5", "Could not read option cmdenv-express-mode= from the confi"),
        ("--fingerprint=0000", "The embedded engine does not support the option fingerprint="),
        ("--record-eventlog=true", "The embedded engine does not support the option record-eve"),
        ("--rng-class=cLCG32", "The embedded engine does not support the option rng-class="),
        ("--config-recording=some", "Unrecognized value 'some' for option 'config-recording'"),
        ("--**.x=${nope}", "No such variable: ${nope}"),
    ],
)
def test_options_that_cannot_be(tmp_path: Path, option: str, message: str) -> None:
    ran = simulate_body(tmp_path, "pass", "", option)
    assert ran.status == 1
    assert ran.errors.startswith(f"\n<!> Error: {message}")


def test_logging_is_on_in_finish_and_without_express_mode(tmp_path: Path) -> None:
    body = "self.log('early')\nself.finish = lambda: self.log('late', 'WARN')"
    assert simulate_body(tmp_path, body).output.endswith("event #1\n[WARN]\tlate\n")
    slow = simulate_body(tmp_path, body, "", "--cmdenv-express-mode=false").output
    assert "[INFO]\tearly\n** Event #1  t=5  100% completed  (100% total)   \n" in slow


def test_output_can_be_redirected(tmp_path: Path) -> None:
    ran = simulate_body(tmp_path, "pass", "", "--cmdenv-redirect-output=true")
    assert ran.output == "General run 0: , $repetition=0\n"
    text = (tmp_path / "results" / "General-#0.out").read_text(encoding="utf-8")
    assert text.endswith("\n<!> Simulation time limit reached -- at t=5s, event #1\n")


def test_redirected_errors_are_announced(tmp_path: Path) -> None:
    ran = simulate_body(tmp_path, "self.fail('no')", "", "--cmdenv-redirect-output=true")
    name = "results/General-#0.out"
    assert ran.errors == f"<!> Error -- see {name} for details\n"
    assert (
        (tmp_path / name)
        .read_text(encoding="utf-8")
        .startswith("\n<!> Error: no -- in module (Net) Net")
    )


def test_errors_can_be_merged_into_the_output(tmp_path: Path) -> None:
    ran = simulate_body(tmp_path, "self.fail('no')", "", "-m")
    assert ran.errors == ""
    assert "\n<!> Error: no -- " in ran.output


def test_verbose_runs_tell_what_they_do(tmp_path: Path) -> None:
    simulate_body(tmp_path, "pass", "repeat = 2\n")
    output = run_engine(tmp_path, "-u", "Cmdenv").output
    for words in (
        "not OMNeT++",
        "Setting up Cmdenv...",
        "\nPreparing for running configuration General, run #1...\nAssigned runID=General-1-",
        'Setting up network "net.Net"...\nInitializing...\n\nRunning simulation...\n',
        "     Speed:     ev/sec=",
        "     Messages:  created: 1   present: 1   in FES: 1\n",
        "\nCalling finish() at end of Run #1...\n",
        "\nRun statistics: total 2, successful 2\n\nEnd.\n",
    ):
        assert words in output
