using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Text;

namespace Weft.Cluster.Tests.Watching;

/// <summary>Reads one watch to its end, or until it has seen the last revision that there will be. Keeps numbers only: there are a thousand of it.</summary>
internal sealed class StormWatcher(HttpResponseMessage response, long from)
{
    private long _last = from;
    private long _count;

    internal long Last => Volatile.Read(ref _last);

    /// <summary>How many changes it was shown; revisions rose from each to the next, or <see cref="Wrong"/> says otherwise.</summary>
    internal long Count => Volatile.Read(ref _count);
    internal bool IsExpired { get; private set; }
    internal string? Wrong { get; private set; }

    internal async Task ReadAsync(Func<long> final, CancellationToken cancellationToken)
    {
        using (response)
        {
            var reader = PipeReader.Create(await response.Content.ReadAsStreamAsync(cancellationToken), new StreamPipeReaderOptions(bufferSize: 16 * 1024));
            while (!IsExpired && Wrong is null && Last < final())
            {
                var read = await reader.ReadAsync(cancellationToken);
                var rest = read.Buffer;
                while (rest.PositionOf((byte)'\n') is { } end)
                {
                    var line = rest.Slice(0, end);
                    Note(line.IsSingleSegment ? line.FirstSpan : line.ToArray());
                    rest = rest.Slice(rest.GetPosition(1, end));
                }

                reader.AdvanceTo(rest.Start, rest.End);
                if (read.IsCompleted && !IsExpired && Last < final())
                    Wrong ??= $"ended after {Last} without a word";
            }
        }
    }

    private void Note(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("{\"type\":\"ERROR\""u8))
        {
            IsExpired = line.IndexOf("\"code\":410"u8) >= 0;
            Wrong ??= IsExpired ? null : Encoding.UTF8.GetString(line);
            return;
        }

        var head = "\"resourceVersion\":\""u8;
        if (!Utf8Parser.TryParse(line[(line.IndexOf(head) + head.Length)..], out long revision, out _) || revision <= _last)
            Wrong ??= $"after {_last}: {Encoding.UTF8.GetString(line[..Math.Min(200, line.Length)])}";
        Volatile.Write(ref _last, revision);
        Volatile.Write(ref _count, _count + 1);
    }
}
