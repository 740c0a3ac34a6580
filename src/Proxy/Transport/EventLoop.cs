using System.Collections.Concurrent;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Transport;

/// <summary>Something with a descriptor that is registered with a loop.</summary>
internal interface IPollable
{
    void OnEvents(uint events);
}

/// <summary>Something that has more to do than is done in one go.</summary>
internal interface ITurnTaker
{
    /// <summary>Does a part, and asks for another turn if there is more (<see cref="EventLoop.GiveTurn"/>).</summary>
    void TakeTurn();
}

/// <summary>
/// One thread that does everything for its connections: waits for events, hands them out, sends what was written meanwhile, fires timers. Members are for
/// this thread alone, but for <see cref="Post"/> and <see cref="Stop"/>.
/// </summary>
internal sealed class EventLoop : IDisposable
{
    /// <summary>One read takes at most so much: the largest that loopback and a window of 64 KB deliver at once.</summary>
    public const int ReadBufferBytes = 64 << 10;

    // So many of those that wait for a turn have it after a wake-up, or as many as there were events: then those that have waited for nothing yet are asked for.
    internal const int LeastTurns = 16;

    // So many events of pairs after one of the kernel's; what is left has its turn after those that have waited in the kernel.
    private const int MostLocalEvents = 256;

    private readonly Poller _poller = new();
    private readonly TimeProvider _time;
    private readonly Action<Exception> _failed;
    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly Thread _thread;
    private readonly List<Connection> _dirty = new(64);
    private readonly Queue<ITurnTaker> _turns = new(64);
    private readonly Stack<int> _freeSlots = new();
    private readonly LocalSockets _local;
    private Slot[] _slots = new Slot[64];
    private int _usedSlots;
    private bool _stopping;
    private int _wakePending;

    /// <param name="failed">Hears of an exception that nobody expected: a defect. The connection it came from is closed, and the loop goes on.</param>
    public EventLoop(string name, TimeProvider time, Action<Exception> failed)
    {
        (_time, _failed) = (time, failed);
        Now = ReadClock();
        Timers = new(Now, failed);
        _local = new(Buffers);
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    public string Name => _thread.Name!;

    /// <summary>Milliseconds of a clock that does not go back, as of the last wake-up.</summary>
    public long Now { get; private set; }

    /// <summary>The same in nanoseconds, read now: for latencies.</summary>
    public long Nanoseconds => (long)(_time.GetTimestamp() * NanosecondsPerTick);

    private double NanosecondsPerTick => 1e9 / _time.TimestampFrequency;

    /// <summary>On all packets of the connections that are made here (SO_MARK), so that they are not captured again; 0: none.</summary>
    public int Mark { get; init; }

    public TimerWheel Timers { get; }

    public BufferPool Buffers { get; } = new();

    /// <summary>Sockets of the kernel's, and pairs within this loop.</summary>
    public LoopSockets Sockets => new(_local);

    /// <summary>What is read goes here first. Whoever reads hands it on before anybody else reads.</summary>
    public byte[] ReadBuffer { get; } = GC.AllocateUninitializedArray<byte>(ReadBufferBytes, pinned: true);

    /// <summary>Bytes that were allocated on this thread since it started: the budget of the steady path is held against it.</summary>
    public long AllocatedBytes { get; private set; }

    public bool IsCurrent => Thread.CurrentThread == _thread;

    public void Start() => _thread.Start();

    public void Post(Action action)
    {
        _posted.Enqueue(action);
        if (Interlocked.Exchange(ref _wakePending, 1) == 0)
            _poller.Wake();
    }

    /// <summary>Runs on the loop and tells when it has.</summary>
    public Task PostAsync(Action action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                action();
                done.SetResult();
            }
            catch (Exception failed)
            {
                done.SetException(failed);
            }
        });
        return done.Task;
    }

    public void Stop()
    {
        Post(() => _stopping = true);
        if (!IsCurrent)
            _thread.Join();
    }

    /// <summary>Edge-triggered, for reading and writing, once and for all (measured: no call to epoll_ctl later).</summary>
    /// <returns>To be given to <see cref="Unregister"/>.</returns>
    public int Register(int fd, IPollable pollable, uint events = Libc.EpollIn | Libc.EpollOut | Libc.EpollRdHup | Libc.EpollEdge)
    {
        if (!_freeSlots.TryPop(out var index))
        {
            index = _usedSlots++;
            if (index == _slots.Length)
                Array.Resize(ref _slots, index * 2);
        }

        _slots[index].Pollable = pollable;
        var number = ((ulong)_slots[index].Generation << 32) | (uint)index;
        if (LocalSockets.IsLocal(fd))
            _local.Watch(fd, events, number);
        else
            _poller.Add(fd, events, number);
        return index;
    }

    /// <summary>Events that were fetched already find another generation and are dropped. Closing the descriptor takes it out of the set.</summary>
    public void Unregister(int index)
    {
        _slots[index].Pollable = null;
        _slots[index].Generation = (_slots[index].Generation + 1) & 0x7FFF_FFFF; // never the number of a wake
        _freeSlots.Push(index);
    }

    /// <summary>As <see cref="Unregister"/>, for a descriptor whose socket other processes may have, too: it brings no more events although it lives on.</summary>
    public void Unregister(int index, int fd)
    {
        Unregister(index);
        if (LocalSockets.IsLocal(fd))
            _local.Unwatch(fd);
        else
            _poller.Remove(fd);
    }

    internal void MarkDirty(Connection connection) => _dirty.Add(connection);

    /// <summary>A turn behind what has come already, and behind those that wait for theirs.</summary>
    internal void GiveTurn(ITurnTaker taker) => _turns.Enqueue(taker);

    private void Run()
    {
        while (!_stopping)
        {
            // What stands in these queues must not wait.
            var count = _poller.Wait(_turns.Count > 0 || _local.HasEvents ? 0 : Timers.NextIn(Now));
            Now = ReadClock();
            for (var i = 0; i < count; i++)
            {
                var number = _poller.Number(i);
                if (number == Poller.WakeNumber)
                {
                    RunPosted();
                    continue;
                }

                Dispatch(number, _poller.Events(i));
                Settle();
            }

            Guarded(static loop => loop.Timers.Advance(loop.Now));
            Settle();
            for (var rest = Math.Min(_turns.Count, Math.Max(LeastTurns, count)); rest > 0; rest--)
                GiveOneTurn();

            AllocatedBytes = GC.GetAllocatedBytesForCurrentThread();
        }

        _poller.Dispose();
    }

    private void GiveOneTurn()
    {
        var taker = _turns.Dequeue();
        try
        {
            taker.TakeTurn();
        }
        catch (Exception defect)
        {
            _failed(defect);
            if (taker is Connection connection)
                Break(connection);
        }

        Settle();
    }

    private void Dispatch(ulong number, uint events)
    {
        ref var slot = ref _slots[(int)(uint)number];
        if (slot.Generation != (uint)(number >> 32) || slot.Pollable is not { } pollable)
            return;
        try
        {
            pollable.OnEvents(events);
        }
        catch (Exception defect)
        {
            _failed(defect);
            if (pollable is Connection connection)
                Break(connection);
        }
    }

    // What was written into a pair is read at once: a request that goes through it is on its way with the same wake-up.
    private void Settle()
    {
        Flush();
        for (var events = 0; events < MostLocalEvents && _local.TryFetch(out var number, out var what); events++)
        {
            Dispatch(number, what);
            Flush();
        }
    }

    // After each event and not after all of a wake-up: a request is on its way to its endpoint while the next is being read.
    private void Flush()
    {
        for (var i = 0; i < _dirty.Count; i++)
        {
            var connection = _dirty[i];
            try
            {
                connection.Flush();
            }
            catch (Exception defect)
            {
                _failed(defect);
                Break(connection);
            }
        }

        _dirty.Clear();
    }

    // Its protocol hears that it is gone, so that what is counted for it is given back; if that fails as well, the connection at least is closed.
    private void Break(Connection connection)
    {
        try
        {
            connection.Drop();
        }
        catch (Exception defect)
        {
            _failed(defect);
            connection.Abort();
        }
    }

    private void RunPosted()
    {
        _poller.Woken();
        Volatile.Write(ref _wakePending, 0);
        while (_posted.TryDequeue(out var action))
        {
            try
            {
                action();
            }
            catch (Exception defect)
            {
                _failed(defect);
            }

            Settle();
        }
    }

    private void Guarded(Action<EventLoop> action)
    {
        try
        {
            action(this);
        }
        catch (Exception defect)
        {
            _failed(defect);
        }
    }

    private long ReadClock() => (long)(_time.GetTimestamp() * (1000.0 / _time.TimestampFrequency));

    public void Dispose() => Stop();

    private struct Slot
    {
        public IPollable? Pollable;
        public uint Generation;
    }
}
