using Weft.Proxy.Transport;

namespace Weft.Proxy.Runtime;

/// <summary>
/// Finds a loop that does not turn: each is asked to answer, and has until the limit to do so. Counted in looks and not by a clock, so that a process that was stopped, or a machine that slept, is not taken for one
/// whose loop hangs.
/// </summary>
internal sealed class LoopWatch(IEnumerable<EventLoop> loops)
{
    /// <summary>Between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Asked[] _loops = [.. loops.Select(loop => new Asked(loop))];

    /// <returns>The name of a loop that has not answered for so long; null: there is none.</returns>
    public string? Look(TimeSpan limit) => _loops.FirstOrDefault(loop => loop.Missed() * Interval >= limit)?.Name;

    private sealed class Asked
    {
        private readonly EventLoop _loop;
        private readonly Action _answer;
        private bool _waits;
        private int _missed;

        public Asked(EventLoop loop) => (_loop, _answer) = (loop, () => Volatile.Write(ref _waits, false));

        public string Name => _loop.Name;

        /// <summary>In how many looks it has not answered the same question.</summary>
        public int Missed()
        {
            if (Volatile.Read(ref _waits))
                return ++_missed;
            _missed = 0;
            Volatile.Write(ref _waits, true);
            _loop.Post(_answer);
            return 0;
        }
    }
}
