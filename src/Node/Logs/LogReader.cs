using System.Buffers;
using System.Globalization;
using System.Text;
using Weft.Api.Streams;

namespace Weft.Node.Logs;

/// <summary>
/// Reads a container's log in CRI format (`time stream P|F text`; P: the line goes on in the next). The same files are written by conmon and by
/// containerd. Rotated files are `N.log.1` (older) before `N.log`.
/// </summary>
internal static class LogReader
{
    // Longest line kept in one piece; a writer of endless lines must not fill the memory.
    private const int MaxLine = 1024 * 1024;

    // How long a follower waits before it looks again when nothing woke it.
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    /// <param name="ended">Completes when nothing more will be written.</param>
    public static async Task CopyAsync(string path, LogOptions options, Task ended, TimeProvider time, Stream output, CancellationToken cancellationToken)
    {
        var state = new Writer(options, output);
        await using var current = new CurrentFile(path);
        var there = OpenAll(path, current);
        try
        {
            // As far as they reached when they were opened: a container that writes faster than is read would be read for ever.
            var skip = options.TailLines is { } tail ? await LinesBeforeTailAsync(there, tail, options.Since, cancellationToken) : 0;
            foreach (var (file, end) in there)
                skip = await CopyFileAsync(file, state, skip, end, cancellationToken);
        }
        finally
        {
            foreach (var (file, _) in there.Where(part => part.File != current.Open()))
                await file.DisposeAsync();
        }

        while (options.Follow && !state.IsFull)
        {
            var wasEnded = ended.IsCompleted;   // asked before the read: what was written before the end is read
            if (current.Open() is { } file)
                await CopyFileAsync(file, state, skip: 0, long.MaxValue, cancellationToken);
            if (current.IsReplaced())
            {
                // The new file is there, so nobody writes to the old one any more: what came after the last look is read, then the new one follows.
                await CopyFileAsync(current.Open()!, state, skip: 0, long.MaxValue, cancellationToken);
                current.Close();
                continue;
            }

            if (wasEnded)
                break;
            await output.FlushAsync(cancellationToken);
            await Task.WhenAny(ended, Task.Delay(Poll, time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
        await output.FlushAsync(cancellationToken);
    }

    /// <summary>All files of the log as they are at one moment, oldest first, each with its end.</summary>
    private static List<(FileStream File, long End)> OpenAll(string path, CurrentFile current)
    {
        while (true)
        {
            List<FileStream> files = [.. Rotated(path).Select(Open).OfType<FileStream>()];
            if (current.Open() is { } now)
                files.Add(now);
            // A rotation meanwhile gave the names to other files: one would be read twice, or not at all.
            if (files.Select(file => Interop.Libc.Inode((int)file.SafeFileHandle.DangerousGetHandle())).SequenceEqual(Rotated(path).Append(path).Where(File.Exists).Select(Interop.Libc.Inode)))
                return [.. files.Select(file => (file, file.Length))];
            files.ForEach(file => file.Dispose());
            current.Close();
        }
    }

    /// <summary>Rotated files of a log, oldest first.</summary>
    public static IReadOnlyList<string> Rotated(string path)
    {
        var directory = Path.GetDirectoryName(path)!;
        return Directory.Exists(directory)
            ? [.. Directory.EnumerateFiles(directory, Path.GetFileName(path) + ".*", new EnumerationOptions { MatchType = MatchType.Simple }).OrderByDescending(f => int.TryParse(Path.GetExtension(f).AsSpan(1), out var n) ? n : 0)]
            : [];
    }

    private static FileStream? Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static async Task<long> LinesBeforeTailAsync(List<(FileStream File, long End)> files, long tail, DateTimeOffset? since, CancellationToken cancellationToken)
    {
        long lines = 0;
        foreach (var (file, end) in files)
        {
            await ReadLinesAsync(file, line =>
            {
                if (CriLine.TryParse(line, out var parsed) && parsed.IsEnd && (since is null || parsed.Time >= since))
                    lines++;
                return true;
            }, end, cancellationToken);
            file.Position = 0;
        }
        return Math.Max(lines - tail, 0);
    }

    private static async Task<long> CopyFileAsync(FileStream file, Writer writer, long skip, long end, CancellationToken cancellationToken)
    {
        await ReadLinesAsync(file, line =>
        {
            if (!CriLine.TryParse(line, out var parsed) || !writer.Wants(parsed))
                return true;
            if (skip > 0)
            {
                if (parsed.IsEnd)
                    skip--;
                return true;
            }
            return writer.Add(parsed);
        }, end, cancellationToken, writer);
        await writer.FlushAsync(cancellationToken);
        return skip;
    }

    // Whole lines only: the position stays at the start of a line that is still being written.
    private static async Task ReadLinesAsync(FileStream file, Func<ReadOnlyMemory<byte>, bool> onLine, long end, CancellationToken cancellationToken, Writer? writer = null)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        var used = 0;
        try
        {
            while (true)
            {
                if (used == buffer.Length)
                {
                    if (buffer.Length >= MaxLine)
                    {
                        used = 0;   // a line longer than any that the format produces: it is skipped
                        continue;
                    }
                    var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                    buffer.CopyTo(larger, 0);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }

                var n = await file.ReadAsync(buffer.AsMemory(used, (int)Math.Min(buffer.Length - used, end - file.Position)), cancellationToken);
                if (n == 0)
                    break;
                used += n;
                var start = 0;
                int length;
                while ((length = buffer.AsSpan(start, used - start).IndexOf((byte)'\n')) >= 0)
                {
                    var line = buffer.AsMemory(start, length);
                    start += length + 1;
                    if (!onLine(line))
                    {
                        file.Position -= used - start;
                        return;
                    }
                }
                buffer.AsSpan(start, used - start).CopyTo(buffer);
                used -= start;
                // What one read gave goes out before the next: a large log is never in memory as a whole.
                if (writer is not null)
                    await writer.FlushAsync(cancellationToken);
            }
            file.Position -= used;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private sealed class Writer(LogOptions options, Stream output)
    {
        private readonly ArrayBufferWriter<byte> _buffer = new();
        private long _left = options.LimitBytes ?? long.MaxValue;
        private bool _lineOpen;

        public bool IsFull => _left <= 0;

        public bool Wants(in CriLine line) => options.Since is null || line.Time >= options.Since;

        public bool Add(in CriLine line)
        {
            if (options.Timestamps && !_lineOpen)
                Put(Encoding.ASCII.GetBytes(line.Stamp + " "));
            Put(line.Text.Span);
            if (line.IsEnd)
                Put("\n"u8);
            _lineOpen = !line.IsEnd;
            return !IsFull;
        }

        private void Put(ReadOnlySpan<byte> bytes)
        {
            var n = (int)Math.Min(bytes.Length, _left);
            _buffer.Write(bytes[..n]);
            _left -= n;
        }

        public async Task FlushAsync(CancellationToken cancellationToken)
        {
            if (_buffer.WrittenCount == 0)
                return;
            await output.WriteAsync(_buffer.WrittenMemory, cancellationToken);
            _buffer.ResetWrittenCount();
        }
    }

    /// <summary>The file being written now; after a rotation the name stands for another file.</summary>
    private sealed class CurrentFile(string path) : IAsyncDisposable
    {
        private FileStream? _file;

        public FileStream? Open() => _file ??= LogReader.Open(path);

        /// <summary>Whether the name now stands for another file than the one that is open.</summary>
        public bool IsReplaced() => _file is not null && File.Exists(path) && Interop.Libc.Inode(path) != Interop.Libc.Inode((int)_file.SafeFileHandle.DangerousGetHandle());

        public void Close()
        {
            _file?.Dispose();
            _file = null;
        }

        public ValueTask DisposeAsync() => _file?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}

/// <summary>One line of a log in CRI format.</summary>
internal readonly record struct CriLine(DateTimeOffset Time, string Stamp, bool IsEnd, ReadOnlyMemory<byte> Text)
{
    public static bool TryParse(ReadOnlyMemory<byte> line, out CriLine parsed)
    {
        parsed = default;
        var span = line.Span;
        var first = span.IndexOf((byte)' ');
        if (first <= 0 || first > 40)
            return false;
        var second = span[(first + 1)..].IndexOf((byte)' ');
        if (second <= 0)
            return false;
        var tag = first + second + 2;
        if (tag >= span.Length || (tag + 1 < span.Length && span[tag + 1] != (byte)' '))
            return false;
        var stamp = Encoding.ASCII.GetString(span[..first]);
        if (!DateTimeOffset.TryParse(stamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
            return false;
        parsed = new(time, stamp, span[tag] == (byte)'F', tag + 2 <= span.Length ? line[(tag + 2)..] : default);
        return true;
    }
}
