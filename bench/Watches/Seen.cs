using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Weft.Bench.Watches;

/// <summary>What one watcher was shown.</summary>
/// <param name="from">The revision it watches from.</param>
/// <param name="timed">Of so many deliveries one is timed: a list of all would be the bench's own load.</param>
internal sealed class Seen(long from, int timed)
{
    private long _last = from;

    public int Count { get; private set; }
    public long Last => Volatile.Read(ref _last);
    public bool Disorder { get; private set; }
    public string? Ended { get; set; }
    public List<double> Delays { get; } = [];

    /// <summary>Takes the whole lines of what was read; returns where the rest begins.</summary>
    public SequencePosition Note(ReadOnlySequence<byte> rest, TimeProvider time)
    {
        while (rest.PositionOf((byte)'\n') is { } end)
        {
            var line = rest.Slice(0, end);
            Note(line.IsSingleSegment ? line.FirstSpan : line.ToArray(), time);
            rest = rest.Slice(rest.GetPosition(1, end));
        }

        return rest.Start;
    }

    public static ReadOnlySpan<byte> After(ReadOnlySpan<byte> line, ReadOnlySpan<byte> head) => line.IndexOf(head) is >= 0 and var at ? line[(at + head.Length)..] : [];

    private void Note(ReadOnlySpan<byte> line, TimeProvider time)
    {
        if (line.StartsWith("{\"type\":\"ERROR\""u8))
        {
            Ended = line.IndexOf("\"code\":410"u8) >= 0 ? "410" : Encoding.UTF8.GetString(line);
            return;
        }

        Utf8Parser.TryParse(After(line, "\"resourceVersion\":\""u8), out long revision, out _);
        Disorder |= revision <= _last;
        if (Count++ % timed == 0 && Utf8Parser.TryParse(After(line, "\"sent\":\""u8), out long sent, out _))
            Delays.Add(time.GetElapsedTime(sent).TotalMilliseconds);
        Volatile.Write(ref _last, revision);
    }
}
