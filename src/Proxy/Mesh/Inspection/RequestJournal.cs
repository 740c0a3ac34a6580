using System.Threading.Channels;
using Weft.Proxy.Config.Inspection;
using Weft.Proxy.Telemetry.Access;

namespace Weft.Proxy.Mesh.Inspection;

/// <summary>
/// The last requests of this node, and those who watch them pass. Of fixed size: the oldest make room. Written by the log's thread alone; a record is copied there, and read
/// into an object only when somebody asks.
/// </summary>
/// <param name="lost">How many records never came here so far: the loops had no room for them before the log's thread took the others.</param>
internal sealed class RequestJournal(RequestObserver observer, Func<long> lost, int capacity = RequestJournal.Capacity)
{
    /// <summary>Some seconds of a busy node, hours of a quiet one; 2 MB with texts of usual length, 8 MB at most.</summary>
    public const int Capacity = 4096;

    /// <summary>A reader that is so many requests behind misses the next ones.</summary>
    public const int Waiting = 1024;

    /// <summary>Each costs the log's thread an object for every request.</summary>
    public const int MostTaps = 16;

    private readonly Lock _gate = new();
    private readonly JournalEntry?[] _entries = new JournalEntry?[capacity];
    private readonly List<Tap> _taps = [];
    private long _written;

    /// <summary>Called by the log's thread.</summary>
    public void Offer(in AccessRecord record, in AccessTexts texts)
    {
        lock (_gate)
        {
            var entry = _entries[_written % capacity] ??= new JournalEntry();
            _written++;
            entry.Set(record, texts);
            if (_taps.Count == 0)
                return;
            var request = observer.Observe(entry);
            foreach (var tap in _taps)
                tap.Offer(request);
        }
    }

    /// <summary>The newest of those that pass the filter, the oldest first.</summary>
    public IReadOnlyList<ObservedRequest> Recent(RequestFilter filter, int limit)
    {
        var found = new List<ObservedRequest>();
        // The log's thread is not kept waiting for a search through everything.
        const int Piece = 256;
        long end;
        lock (_gate)
            end = _written;
        for (var at = end; at > 0 && found.Count < limit;)
        {
            lock (_gate)
            {
                var least = Math.Max(0, _written - capacity);
                for (var i = 0; i < Piece && at > least && found.Count < limit; i++)
                {
                    if (observer.Observe(_entries[--at % capacity]!) is var request && filter.Takes(request))
                        found.Add(request);
                }

                if (at <= least)
                    break;
            }
        }

        found.Reverse();
        return found;
    }

    /// <summary>Null: too many watch already.</summary>
    public Tap? Watch(RequestFilter filter)
    {
        lock (_gate)
        {
            if (_taps.Count >= MostTaps)
                return null;
            var tap = new Tap(filter, lost);
            _taps.Add(tap);
            return tap;
        }
    }

    public void End(Tap tap)
    {
        lock (_gate)
            _taps.Remove(tap);
    }

    /// <summary>One who watches.</summary>
    internal sealed class Tap(RequestFilter filter, Func<long> lost)
    {
        private readonly Channel<ObservedRequest> _waiting = Channel.CreateBounded<ObservedRequest>(new BoundedChannelOptions(Waiting) { SingleReader = true, SingleWriter = true, FullMode = BoundedChannelFullMode.Wait });
        private long _dropped, _lost = lost();

        public ChannelReader<ObservedRequest> Requests => _waiting.Reader;

        /// <summary>How many were missed since the last time. By its reader. Of those that were lost before the log nobody knows whether the filter would have taken them: all of them count.</summary>
        public long TakeDropped()
        {
            var now = lost();
            var missed = Interlocked.Exchange(ref _dropped, 0) + now - _lost;
            _lost = now;
            return missed;
        }

        public void Offer(ObservedRequest request)
        {
            if (filter.Takes(request) && !_waiting.Writer.TryWrite(request))
                Interlocked.Increment(ref _dropped);
        }
    }
}

/// <summary>A record with its texts, kept in the same memory again and again.</summary>
internal sealed class JournalEntry
{
    // A path of this length says where a request went; the other texts are names.
    private const int MostPath = 512, MostName = 256;

    private readonly int[] _ends = new int[4];
    private byte[] _bytes = new byte[128];
    private AccessRecord _record;

    public ref readonly AccessRecord Record => ref _record;

    public ReadOnlySpan<byte> Method => _bytes.AsSpan(0, _ends[0]);

    public ReadOnlySpan<byte> Authority => _bytes.AsSpan(_ends[0].._ends[1]);

    public ReadOnlySpan<byte> Path => _bytes.AsSpan(_ends[1].._ends[2]);

    public ReadOnlySpan<byte> RequestId => _bytes.AsSpan(_ends[2].._ends[3]);

    public void Set(in AccessRecord record, in AccessTexts texts)
    {
        _record = record;
        var at = 0;
        Put(texts.Method, MostName, 0, ref at);
        Put(texts.Authority, MostName, 1, ref at);
        // Queries hold tokens, and are nobody's to keep.
        var path = texts.Path.IndexOf((byte)'?') is >= 0 and var query ? texts.Path[..(query + 1)] : texts.Path;
        Put(path, MostPath, 2, ref at);
        Put(texts.RequestId, MostName, 3, ref at);
    }

    private void Put(ReadOnlySpan<byte> text, int most, int number, ref int at)
    {
        var kept = text[..Math.Min(text.Length, most)];
        if (_bytes.Length < at + kept.Length)
            Array.Resize(ref _bytes, Math.Max(at + kept.Length, _bytes.Length * 2));
        kept.CopyTo(_bytes.AsSpan(at));
        _ends[number] = at += kept.Length;
    }
}
