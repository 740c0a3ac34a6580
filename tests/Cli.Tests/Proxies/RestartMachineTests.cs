using Weft.Cli.Proxies.HotRestart;

namespace Weft.Cli.Tests.Proxies;

/// <summary>Which process serves when others die, begin late or not at all.</summary>
public sealed class RestartMachineTests
{
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(15);

    private readonly Script _script = new();
    private readonly RestartMachine _machine;

    public RestartMachineTests() => _machine = new(_script);

    [Fact]
    public void The_first_one_serves_and_a_second_one_waits()
    {
        Begin();
        Assert.Equal(["start 1", "serve 1", "say process 1 serves", "rehearse 2"], _script.Take());
    }

    [Fact]
    public void A_file_with_errors_ends_the_first_start_with_its_code()
    {
        _machine.Start();
        _machine.OnExit(1, WorkerOrders.BadConfiguration, "ended with 2");
        Assert.Equal(["start 1", "serve 1", "finish 2"], _script.Take());
    }

    [Fact]
    public void Who_waits_serves_at_once_when_the_other_dies()
    {
        Begin();
        _script.Take();
        _machine.OnExit(1, 137, "was ended by signal 9");
        Assert.Equal(["say the process that served was ended by signal 9; another begins in 0 ms", "recover 2"], _script.Take());
        _machine.OnReady(2, Drain);
        _script.Pass();
        Assert.Equal(["say process 2 serves", "rehearse 3"], _script.Take());
    }

    [Fact]
    public void One_that_has_said_it_is_alive_and_is_silent_then_is_ended_and_followed()
    {
        Begin();
        _machine.OnAlive(1, TimeSpan.FromSeconds(3));
        _script.Pass();
        _script.Pass();
        _machine.OnAlive(1, TimeSpan.FromSeconds(3));
        _script.Pass();
        _script.Pass();
        _script.Take();
        _script.Pass();
        Assert.Equal(["say nothing was heard of process 1 for 3 s: it is ended", "kill 1"], _script.Take());
        _machine.OnExit(1, 137, "was ended by signal 9");
        Assert.Contains("recover 2", _script.Take());
    }

    [Fact]
    public void One_that_is_not_to_be_ended_may_be_silent_and_so_may_one_that_has_never_said_that_it_is_alive()
    {
        Begin();
        _machine.OnAlive(1, TimeSpan.FromSeconds(1));
        _machine.OnAlive(1, TimeSpan.Zero);
        _script.Take();
        for (var look = 0; look < 100; look++)
            _script.Pass();
        Assert.Empty(_script.Take());
        _machine.OnExit(1, 137, "was ended by signal 9");
        _machine.OnReady(2, Drain);
        _machine.OnAlive(1, TimeSpan.FromSeconds(1)); // late, of the one before
        for (var look = 0; look < 100; look++)
            _script.Pass();
        Assert.DoesNotContain("kill 2", _script.Take());
    }

    [Fact]
    public void Without_one_that_waits_another_is_started()
    {
        Begin();
        _machine.OnExit(2, 137, "was ended by signal 9");
        _script.Take();
        _machine.OnExit(1, 134, "was ended by signal 6");
        Assert.Equal(["say the process that served was ended by signal 6; another begins in 0 ms", "start 3", "recover 3"], _script.Take());
    }

    [Fact]
    public void One_that_dies_again_and_again_is_slowed_down()
    {
        Begin();
        _machine.OnExit(1, 134, "was ended by signal 6");
        _script.Take();
        _machine.OnExit(2, 134, "was ended by signal 6");
        Assert.Equal(["say the process that served was ended by signal 6; another begins in 100 ms"], _script.Take());
        _script.Pass();
        Assert.Equal(["start 3", "recover 3"], _script.Take());
    }

    [Fact]
    public void One_that_served_for_a_second_is_followed_at_once_however_often_it_dies_and_nobody_is_waited_for_longer_than_a_second()
    {
        Begin();
        for (var worker = 1; worker < 10; worker++)
        {
            _script.Now += TimeSpan.FromSeconds(1);
            _script.Take();
            _machine.OnExit(worker, 137, "was ended by signal 9");
            Assert.Contains($"recover {worker + 1}", _script.Take());
            _machine.OnReady(worker + 1, Drain);
            _script.Pass();
        }

        _script.Take();
        for (var worker = 10; worker < 20; worker++)
        {
            _machine.OnExit(worker, 137, "was ended by signal 9");
            _script.Pass();
            _machine.OnReady(worker + 1, Drain);
            _script.Pass();
        }

        var pauses = _script.Take().Where(asked => asked.Contains("another begins in", StringComparison.Ordinal)).Select(asked => asked.Split(' ')[^2]);
        Assert.Equal(["100", "200", "400", "800", "1000", "1000", "1000", "1000", "1000", "1000"], pauses);
    }

    [Fact]
    public void At_a_hot_restart_the_old_one_stops_looking_at_the_file_before_the_new_one_begins_and_drains_after()
    {
        Begin();
        _script.Take();
        _machine.Restart();
        Assert.Equal(["rehearse 3"], _script.Take());
        _machine.OnStandby(3);
        Assert.Equal(["freeze 1"], _script.Take());
        Assert.False(_machine.Owns(3));
        _machine.OnFrozen(1);
        Assert.Equal(["serve 3"], _script.Take());
        Assert.True(_machine.Owns(3));
        _machine.OnReady(3, Drain);
        // The one that waited runs the program as it was.
        Assert.Equal(["drain 1", "say process 3 serves; 1 drains", "end 2"], _script.Take());
        Assert.False(_machine.Owns(1));
        _script.Pass();
        Assert.Equal(["rehearse 4", "kill 1"], _script.Take());
        _machine.OnExit(1, 137, "was ended by signal 9");
        _machine.OnExit(2, 0, "ended with 0");
        Assert.Empty(_script.Take());
    }

    [Fact]
    public void A_new_one_that_cannot_begin_changes_nothing()
    {
        Begin();
        _machine.Restart();
        _machine.OnStandby(3);
        _machine.OnFrozen(1);
        _script.Take();
        _machine.OnExit(3, WorkerOrders.BadConfiguration, "ended with 2");
        Assert.Equal(["say the new process ended with 2; what was served goes on", "thaw 1"], _script.Take());
        Assert.True(_machine.Owns(1));
    }

    [Fact]
    public void A_new_one_that_does_not_come_is_killed()
    {
        Begin();
        _script.Take();
        _machine.Restart();
        _script.Pass();
        Assert.Equal(["rehearse 3", "kill 3"], _script.Take());
    }

    [Theory]
    [InlineData(0, new[] { "recover 3" })]    // not told to begin yet
    [InlineData(1, new string[0])]            // told already
    public void When_the_old_one_dies_in_the_middle_the_new_one_serves(int frozen, string[] then)
    {
        Begin();
        _machine.Restart();
        _machine.OnStandby(3);
        if (frozen == 1)
            _machine.OnFrozen(1);
        _script.Take();
        _machine.OnExit(1, 137, "was ended by signal 9");
        Assert.Equal(["say the process that served was ended by signal 9; another begins in 0 ms", .. then], _script.Take());
        _machine.OnReady(3, Drain);
        Assert.Equal(["say process 3 serves"], _script.Take());
        Assert.True(_machine.Owns(3));
    }

    [Fact]
    public void A_hot_restart_that_is_asked_for_in_the_middle_of_one_comes_after_it()
    {
        Begin();
        _machine.Restart();
        _machine.Restart();
        _machine.Restart();
        _machine.OnStandby(3);
        _machine.OnFrozen(1);
        _script.Take();
        _machine.OnReady(3, Drain);
        Assert.Equal(["drain 1", "say process 3 serves; 1 drains", "end 2", "rehearse 4"], _script.Take());
    }

    [Fact]
    public void At_the_end_sockets_go_first_and_then_all_who_are_there()
    {
        Begin();
        _script.Take();
        _machine.End();
        Assert.Equal(["give up sockets", "end 1", "end 2"], _script.Take());
        _machine.OnExit(2, 0, "ended with 0");
        Assert.Empty(_script.Take());
        _machine.OnExit(1, 0, "ended with 0");
        Assert.Equal(["finish 0"], _script.Take());
    }

    [Fact]
    public void The_second_wish_to_end_does_not_wait()
    {
        Begin();
        _machine.End();
        _script.Take();
        _machine.End();
        Assert.Equal(["kill 1", "kill 2"], _script.Take());
    }

    [Fact]
    public void One_that_is_to_serve_after_a_crash_and_hangs_is_killed_and_followed()
    {
        Begin();
        _machine.OnExit(1, 137, "was ended by signal 9");
        _script.Take();
        _script.Pass();
        Assert.Equal(["kill 2"], _script.Take());
        _machine.OnExit(2, 137, "was ended by signal 9");
        _script.Pass();
        Assert.Equal(["say the process that served was ended by signal 9; another begins in 100 ms", "start 3", "recover 3"], _script.Take());
        _machine.OnReady(3, Drain);
        _script.Pass();
        Assert.DoesNotContain("kill 3", _script.Take());
    }

    [Fact]
    public void A_new_one_that_takes_the_place_of_a_dead_one_and_hangs_is_killed()
    {
        Begin();
        _machine.Restart();
        _script.Pass();
        _machine.OnStandby(3);
        _script.Take();
        _machine.OnExit(1, 137, "was ended by signal 9");
        _script.Pass();
        Assert.Equal(["say the process that served was ended by signal 9; another begins in 0 ms", "recover 3", "kill 3"], _script.Take());
    }

    [Fact]
    public void At_the_end_nothing_is_kept_any_more()
    {
        Begin();
        _machine.Restart();
        _machine.OnStandby(3);
        _machine.OnFrozen(1);
        _machine.End();
        Assert.False(_machine.Owns(1));
        Assert.False(_machine.Owns(3));
    }

    [Fact]
    public void While_a_new_one_begins_nobody_is_told_to_read_the_file_and_whoever_serves_then_is()
    {
        Begin();
        _machine.Restart();
        _machine.Reload();
        _machine.OnStandby(3);
        _script.Take();
        _machine.Reload();
        _machine.OnFrozen(1);
        _machine.Reload();
        Assert.Equal(["serve 3"], _script.Take());
        _machine.OnReady(3, Drain);
        Assert.Equal(["drain 1", "reload 3", "say process 3 serves; 1 drains", "end 2"], _script.Take());
        _machine.Reload();
        Assert.Equal(["reload 3"], _script.Take());
    }

    [Fact]
    public void When_the_new_one_comes_to_nothing_the_old_one_reads_the_file_if_that_was_wanted()
    {
        Begin();
        _machine.Restart();
        _machine.OnStandby(3);
        _machine.OnFrozen(1);
        _machine.Reload();
        _script.Take();
        _machine.OnExit(3, WorkerOrders.BadConfiguration, "ended with 2");
        Assert.Equal(["say the new process ended with 2; what was served goes on", "thaw 1", "reload 1"], _script.Take());
        _machine.Reload();
        Assert.Equal(["reload 1"], _script.Take());
    }

    [Fact]
    public void When_the_old_one_dies_in_the_middle_the_wish_to_read_the_file_is_the_new_ones()
    {
        Begin();
        _machine.Restart();
        _machine.OnStandby(3);
        _machine.OnFrozen(1);
        _machine.Reload();
        _script.Take();
        _machine.OnExit(1, 137, "was ended by signal 9");
        Assert.Contains("reload 3", _script.Take());
    }

    [Theory]
    [InlineData("15000", 15_000)]
    [InlineData("0", 0)]
    [InlineData("-5", 0)]
    [InlineData("1e300", 40L * 24 * 3600 * 1000)]
    [InlineData("Infinity", 40L * 24 * 3600 * 1000)]
    [InlineData("NaN", 15_000)]
    [InlineData("", 15_000)]
    [InlineData("soon", 15_000)]
    public void Whatever_a_proxy_says_of_its_drain_is_a_time_that_can_be_waited(string said, long milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), WorkerOrders.DrainTime(said));

    private void Begin()
    {
        _machine.Start();
        _machine.OnReady(1, Drain);
        _script.Pass();
    }

    /// <summary>Writes down what was asked for.</summary>
    private sealed class Script : IWorkers
    {
        private readonly List<string> _asked = [];
        private List<Action> _later = [];
        private int _last;

        public TimeSpan Now { get; set; }

        public List<string> Take()
        {
            var taken = _asked.ToList();
            _asked.Clear();
            return taken;
        }

        /// <summary>Everything that was to happen later does.</summary>
        public void Pass()
        {
            var due = _later;
            _later = [];
            due.AsEnumerable().Reverse().ToList().ForEach(action => action());
        }

        public int Start(bool rehearse)
        {
            _asked.Add($"{(rehearse ? "rehearse" : "start")} {++_last}");
            return _last;
        }

        public void Serve(int worker, bool recover) => _asked.Add($"{(recover ? "recover" : "serve")} {worker}");

        public void Send(int worker, string order) => _asked.Add($"{order} {worker}");

        public void Kill(int worker) => _asked.Add($"kill {worker}");

        public void GiveUpSockets() => _asked.Add("give up sockets");

        public void After(TimeSpan delay, Action action) => _later.Add(action);

        public void Say(string sentence) => _asked.Add($"say {sentence}");

        public void Finish(int exitCode) => _asked.Add($"finish {exitCode}");
    }
}
