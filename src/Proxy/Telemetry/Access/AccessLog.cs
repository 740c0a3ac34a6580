using System.Buffers;

namespace Weft.Proxy.Telemetry.Access;

/// <summary>Makes a line of a record.</summary>
internal interface IAccessFormat
{
    void Write(in AccessRecord record, in AccessTexts texts, IBufferWriter<byte> to);
}

/// <summary>Takes the records of all loops, a few times a second, and writes them to the log; not on a loop.</summary>
/// <param name="rings">Of the loops, by their numbers.</param>
/// <param name="seen">Hears each record, too: spans, taps.</param>
internal sealed class AccessLog(IReadOnlyList<AccessRing> rings, IAccessFormat format, Stream? to, AccessSeen? seen = null)
{
    /// <summary>How often it is written; the rings hold what comes meanwhile.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private readonly ArrayBufferWriter<byte> _lines = new(64 << 10);
    private byte[] _buffer = new byte[8 << 10];
    private IAccessFormat _format = format;

    /// <summary>For lines to come.</summary>
    public void Use(IAccessFormat format) => Volatile.Write(ref _format, format);

    public long Dropped => rings.Sum(ring => ring.Dropped);

    /// <summary>Everything that the loops have written so far. By one thread at a time, which waits for a log that is slow.</summary>
    public void Write()
    {
        var any = false;
        foreach (var ring in rings)
        {
            // In pieces: a flood of records must not become one of memory.
            while (Take(ring))
            {
                any = true;
                if (to is not null && !Try(() => to.Write(_lines.WrittenSpan)))
                    Unwritten++;
                _lines.ResetWrittenCount();
            }
        }

        if (any && to is not null)
            Try(to.Flush);
    }

    /// <summary>Batches of lines that the log did not take: a disk that is full costs lines, not the log.</summary>
    public long Unwritten { get; private set; }

    private static bool Try(Action write)
    {
        try
        {
            write();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private bool Take(AccessRing ring)
    {
        var any = false;
        while (_lines.WrittenCount < 256 << 10 && ring.TryRead(ref _buffer, out var record, out var texts))
        {
            any = true;
            seen?.Invoke(record, texts);
            if (to is not null && record.Logged)
                Volatile.Read(ref _format).Write(record, texts, _lines);
        }

        return any;
    }
}

internal delegate void AccessSeen(in AccessRecord record, in AccessTexts texts);
