using Weft.Cli.Supervision;

namespace Weft.Cli.Proxies.HotRestart;

/// <summary>What the supervisor of a proxy can do. Processes are named by their ids.</summary>
internal interface IWorkers
{
    /// <summary>Starts one, which waits to be told what to do. 0: it cannot be started, which has been said.</summary>
    /// <param name="rehearse">There is time until it is told: it is to say <see cref="WorkerOrders.Standby"/> when it has used that.</param>
    int Start(bool rehearse);

    /// <summary>Gives it all that is held, and tells it to begin.</summary>
    void Serve(int worker, bool recover);

    void Send(int worker, string order);

    void Kill(int worker);

    /// <summary>Nobody is to wait in the sockets any more.</summary>
    void GiveUpSockets();

    void After(TimeSpan delay, Action action);

    void Say(string sentence);

    /// <summary>Of a clock that does not go back.</summary>
    TimeSpan Now { get; }

    /// <summary>It is over.</summary>
    void Finish(int exitCode);
}

/// <summary>
/// Which process serves, which waits to, and which drains. One serves; one is started already and has no configuration (the standby); for a hot restart a third is started anew, because the program may
/// have been replaced. Told of one event after the other, on one thread.
/// </summary>
internal sealed class RestartMachine(IWorkers workers)
{
    // Ten times what a start takes on a loaded machine.
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    // The start of a process costs a third of a second of a core, which whoever has just begun to serve needs more.
    private static readonly TimeSpan StandbyDelay = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan DrainReserve = TimeSpan.FromSeconds(10);

    // From when it served. One that lived so long did not die of its start.
    private static readonly TimeSpan Healthy = TimeSpan.FromSeconds(1);

    // A start costs a third of a second of a core, so a process that always dies costs a third of one. More would make the outage longer that a request which kills it can bring about.
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    // Silence is counted in looks and not by a clock: when all processes were stopped, or the machine slept, nobody has been silent.
    private static readonly TimeSpan AliveLook = TimeSpan.FromSeconds(1);

    private readonly RestartBackoff _restarts = new(Healthy);
    private readonly RestartBackoff _standbys = new(RestartBackoff.DefaultHealthy);
    private readonly HashSet<int> _draining = [];
    private int _current, _standby, _successor;
    private TimeSpan _began, _standbyBegan, _drains = WorkerOrders.DefaultDrain;
    private int _heard, _silentLooks;
    private TimeSpan _silenceLimit;
    private bool _looks;
    private bool _hasServed, _serves, _successorServes, _again, _frozen, _reload, _ending;

    public void Start()
    {
        _current = workers.Start(rehearse: false);
        if (_current == 0)
            workers.Finish(1);
        else
            workers.Serve(_current, recover: false);
    }

    /// <summary>SIGUSR2.</summary>
    public void Restart()
    {
        if (_ending || !_hasServed)
            return;
        _again = _successor != 0;
        if (_again || (_successor = workers.Start(rehearse: true)) == 0)
            return;
        _successorServes = false;
        var started = _successor;
        workers.After(StartLimit, () =>
        {
            if (_successor == started)
                workers.Kill(started);
        });
    }

    /// <summary>SIGHUP. While the file is nobody's it waits for whoever has it next.</summary>
    public void Reload()
    {
        if (_frozen)
            _reload = true;
        else if (_current != 0)
            workers.Send(_current, WorkerOrders.Reload);
    }

    /// <summary>SIGTERM, SIGINT. The second one does not wait.</summary>
    public void End()
    {
        if (_ending)
        {
            foreach (var worker in All())
                workers.Kill(worker);
            return;
        }

        _ending = true;
        // Before the proxy gives its own share up: so what it does not take then is refused at once and waits for nobody.
        workers.GiveUpSockets();
        foreach (var worker in All())
            workers.Send(worker, WorkerOrders.End);
        workers.After(_drains + DrainReserve, End);
        FinishIfAlone(0);
    }

    /// <summary>Whether what it says about descriptors counts: one that drains has nothing to say any more, and at the end nothing is kept for anybody.</summary>
    public bool Owns(int worker) => !_ending && worker != 0 && (worker == _current || (worker == _successor && _successorServes));

    public void OnStandby(int worker)
    {
        if (worker == _standby)
            workers.Say(FormattableString.Invariant($"process {worker} waits"));
        if (worker != _successor || _successorServes)
            return;
        if (_current != 0)
        {
            _frozen = true;
            workers.Send(_current, WorkerOrders.Freeze);
        }
        else
        {
            Promote();
        }
    }

    /// <summary>A proxy that has said so once, and is silent then, is stopped or hangs as a whole.</summary>
    public void OnAlive(int worker, TimeSpan limit)
    {
        if (worker != _current)
            return;
        (_heard, _silenceLimit, _silentLooks) = (worker, limit, 0);
        if (_looks)
            return;
        _looks = true;
        workers.After(AliveLook, LookForSilence);
    }

    public void OnFrozen(int worker)
    {
        if (worker != _current || _successor == 0 || _successorServes)
            return;
        _successorServes = true;
        workers.Serve(_successor, recover: false);
    }

    public void OnReady(int worker, TimeSpan drains)
    {
        if (!Owns(worker))
            return;
        (_drains, _hasServed) = (drains, true);
        if (worker == _current)
        {
            if (!_serves)
            {
                workers.Say(FormattableString.Invariant($"process {worker} serves"));
                (_serves, _began) = (true, workers.Now);
            }

            if (_standby == 0)
                workers.After(StandbyDelay, StartStandby);
            return;
        }

        var old = _current;
        (_current, _successor, _serves, _began) = (_successor, 0, true, workers.Now);
        if (old != 0)
            LetDrain(old, drains);
        Unfreeze();
        workers.Say(FormattableString.Invariant($"process {worker} serves; {old} drains"));
        // It runs the program as it was; the next one may be another.
        if (_standby != 0)
            workers.Send(_standby, WorkerOrders.End);
        _standby = 0;
        workers.After(StandbyDelay, StartStandby);
        if (_again)
            Restart();
    }

    public void OnExit(int worker, int code, string why)
    {
        if (_draining.Remove(worker) || _ending)
        {
            if (worker == _current)
                _current = 0;
            else if (worker == _standby)
                _standby = 0;
            else if (worker == _successor)
                _successor = 0;
            FinishIfAlone(0);
        }
        else if (worker == _successor)
        {
            (_successor, _again) = (0, false);
            workers.Say($"the new process {why}; what was served goes on");
            if (_current != 0)
            {
                workers.Send(_current, WorkerOrders.Thaw);
                Unfreeze();
            }
            else
            {
                // Whoever begins now reads the file anyway.
                (_frozen, _reload) = (false, false);
                Recover();
            }
        }
        else if (worker == _standby)
        {
            _standby = 0;
            workers.After(_standbys.Next(workers.Now - _standbyBegan), StartStandby);
        }
        else if (worker == _current)
        {
            OnCurrentExit(code, why);
        }
    }

    private void LookForSilence()
    {
        if (_ending)
            return; // which has a limit of its own
        workers.After(AliveLook, LookForSilence);
        if (_heard != _current || _silenceLimit == TimeSpan.Zero || ++_silentLooks * AliveLook < _silenceLimit)
            return;
        workers.Say(FormattableString.Invariant($"nothing was heard of process {_current} for {_silenceLimit.TotalSeconds:0} s: it is ended"));
        _silentLooks = 0;
        workers.Kill(_current);
    }

    private void OnCurrentExit(int code, string why)
    {
        var lived = _serves ? workers.Now - _began : TimeSpan.Zero;
        (_current, _serves) = (0, false);
        if (!_hasServed)
        {
            workers.Finish(code is WorkerOrders.BadConfiguration ? code : 1);
            return;
        }

        var delay = Pause(lived);
        workers.Say(FormattableString.Invariant($"the process that served {why}; another begins in {delay.TotalMilliseconds:0} ms"));
        if (_successorServes && _successor != 0)
            Promote();
        else if (delay == TimeSpan.Zero)
            Recover();
        else
            workers.After(delay, Recover);
    }

    private void Recover()
    {
        if (_current != 0 || _ending)
            return;
        if (_successor != 0)
        {
            Promote();
            return;
        }

        _current = _standby != 0 ? _standby : workers.Start(rehearse: false);
        _standby = 0;
        if (_current == 0)
        {
            workers.After(Pause(TimeSpan.Zero), Recover);
            return;
        }

        workers.Serve(_current, recover: true);
        LimitStart();
    }

    // Nobody else serves meanwhile: one that hangs would be an outage for as long as it does.
    private void LimitStart()
    {
        var started = _current;
        workers.After(StartLimit, () =>
        {
            if (_current == started && !_serves && !_ending)
                workers.Kill(started);
        });
    }

    private TimeSpan Pause(TimeSpan lived)
    {
        var pause = _restarts.Next(lived);
        return pause < LongestPause ? pause : LongestPause;
    }

    // The one that was to follow is there already.
    private void Promote()
    {
        (_current, _successor) = (_successor, 0);
        if (!_successorServes)
            workers.Serve(_current, recover: true);
        Unfreeze();
        LimitStart();
    }

    // The file is the current one's again, or that of the one that has become it.
    private void Unfreeze()
    {
        if (_reload)
            workers.Send(_current, WorkerOrders.Reload);
        (_frozen, _reload) = (false, false);
    }

    private void StartStandby()
    {
        if (_standby != 0 || _ending || _current == 0)
            return;
        (_standby, _standbyBegan) = (workers.Start(rehearse: true), workers.Now);
    }

    private void LetDrain(int worker, TimeSpan drains)
    {
        _draining.Add(worker);
        workers.Send(worker, WorkerOrders.Drain);
        workers.After(drains + DrainReserve, () =>
        {
            if (_draining.Contains(worker))
                workers.Kill(worker);
        });
    }

    private IEnumerable<int> All() => new[] { _current, _standby, _successor }.Concat(_draining).Where(worker => worker != 0);

    private void FinishIfAlone(int code)
    {
        if (_ending && !All().Any())
            workers.Finish(code);
    }
}
