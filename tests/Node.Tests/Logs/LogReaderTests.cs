using System.Text;
using Weft.Api.Streams;
using Weft.Node.Logs;
using Weft.Testing;

namespace Weft.Node.Tests.Logs;

public sealed class LogReaderTests
{
    private static readonly string[] Lines =
    [
        "2026-05-01T12:00:00.000000001Z stdout F one", "2026-05-01T12:00:01Z stderr F two", "2026-05-01T12:00:02Z stdout P thr", "2026-05-01T12:00:02Z stdout F ee",
        "2026-05-01T12:00:03+00:00 stdout F ", "2026-05-01T12:00:04Z stdout F four",
    ];

    private static async Task<string> ReadAsync(string path, LogOptions options)
    {
        using var output = new MemoryStream();
        await LogReader.CopyAsync(path, options, Task.CompletedTask, TimeProvider.System, output, default);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    [Fact]
    public async Task Lines_are_joined_counted_and_cut_as_asked()
    {
        using var dir = new TempDir();
        var path = dir.File("0.log");
        await File.WriteAllLinesAsync(path, Lines);

        Assert.Equal("one\ntwo\nthree\n\nfour\n", await ReadAsync(path, new()));
        Assert.Equal("three\n\nfour\n", await ReadAsync(path, new() { TailLines = 3 }));
        Assert.Equal("", await ReadAsync(path, new() { TailLines = 0 }));
        Assert.Equal("three\n\nfour\n", await ReadAsync(path, new() { Since = new DateTimeOffset(2026, 5, 1, 12, 0, 2, TimeSpan.Zero) }));
        Assert.Equal("one\ntw", await ReadAsync(path, new() { LimitBytes = 6 }));
        Assert.StartsWith("2026-05-01T12:00:00.000000001Z one\n2026-05-01T12:00:01Z two\n2026-05-01T12:00:02Z three\n", await ReadAsync(path, new() { Timestamps = true }));
        Assert.Equal("", await ReadAsync(dir.File("absent"), new()));
    }

    [Theory]
    [InlineData(2L, "ten\neleven\n")]
    [InlineData(null, "nine\nten\neleven\n")]
    public async Task What_is_written_and_rotated_while_it_is_read_is_not_waited_for(long? tail, string expected)
    {
        using var dir = new TempDir();
        var path = dir.File("0.log");
        await File.WriteAllTextAsync(path + ".1", Line("nine"));
        await File.WriteAllTextAsync(path, Line("ten") + Line("eleven"));

        // Each piece that is read makes the log longer, and then rotates it: as a container that writes faster than its reader takes.
        await using var output = new Reacting(() =>
        {
            File.AppendAllText(path, Line("later"));
            LogRotation.Shift(path);
            File.WriteAllText(path, Line("much later"));
        });
        await LogReader.CopyAsync(path, new() { TailLines = tail }, Task.CompletedTask, TimeProvider.System, output, default);

        Assert.Equal(expected, output.Text);

        static string Line(string text) => $"2026-05-01T12:00:04Z stdout F {text}\n";
    }

    /// <summary>Does something at each write.</summary>
    private sealed class Reacting(Action onWrite) : MemoryStream
    {
        public string Text => Encoding.UTF8.GetString(ToArray());

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            onWrite();
            await base.WriteAsync(buffer, cancellationToken);
        }
    }

    [Fact]
    public async Task A_large_log_is_copied_in_small_pieces()
    {
        using var dir = new TempDir();
        var path = dir.File("0.log");
        await File.WriteAllLinesAsync(path, Enumerable.Repeat("2026-05-01T12:00:00Z stdout F " + new string('x', 1000), 2000));
        using var output = new Pieces();

        await LogReader.CopyAsync(path, new(), Task.CompletedTask, TimeProvider.System, output, default);

        Assert.Equal(2000 * 1001, output.Length);
        Assert.InRange(output.Largest, 1, 64 * 1024);
    }

    private sealed class Pieces : MemoryStream
    {
        public int Largest { get; private set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Largest = Math.Max(Largest, buffer.Length);
            return base.WriteAsync(buffer, cancellationToken);
        }
    }

    [Fact]
    public async Task Rotated_files_come_first_and_lines_of_no_format_are_skipped()
    {
        using var dir = new TempDir();
        var path = dir.File("0.log");
        await File.WriteAllLinesAsync(path + ".2", ["2026-05-01T12:00:00Z stdout F oldest", "rubbish", ""]);
        await File.WriteAllLinesAsync(path + ".1", ["2026-05-01T12:00:01Z stdout F older"]);
        await File.WriteAllTextAsync(path, "2026-05-01T12:00:02Z stdout F newest\n2026-05-01T12:00:03Z stdout F unfinished");

        Assert.Equal("oldest\nolder\nnewest\n", await ReadAsync(path, new()));
        Assert.Equal("older\nnewest\n", await ReadAsync(path, new() { TailLines = 2 }));
    }

    [Fact]
    public async Task A_follower_sees_what_is_written_through_a_rotation_and_ends_with_the_container()
    {
        using var dir = new TempDir();
        var path = dir.File("0.log");
        await File.WriteAllTextAsync(path, "2026-05-01T12:00:00Z stdout F a\n");
        var ended = new TaskCompletionSource();
        using var output = new MemoryStream();
        var following = LogReader.CopyAsync(path, new() { Follow = true }, ended.Task, TimeProvider.System, output, default);
        await Eventually.TrueAsync(() => output.Length == 2);

        await File.AppendAllTextAsync(path, "2026-05-01T12:00:01Z stdout F b\n");
        LogRotation.Shift(path);
        await File.WriteAllTextAsync(path, "2026-05-01T12:00:02Z stdout F c\n");
        await Eventually.TrueAsync(() => output.Length == 6);
        await File.AppendAllTextAsync(path, "2026-05-01T12:00:03Z stdout F d\n");
        ended.SetResult();
        await Eventually.EndsAsync(following);

        Assert.Equal("a\nb\nc\nd\n", Encoding.UTF8.GetString(output.ToArray()));
    }

    [Fact]
    public void Rotation_keeps_five_files()
    {
        using var dir = new TempDir();
        var path = dir.File("0.log");
        for (var i = 0; i < 8; i++)
        {
            File.WriteAllText(path, i.ToString());
            LogRotation.Shift(path);
        }

        Assert.Equal(["4", "5", "6", "7"], LogReader.Rotated(path).Select(File.ReadAllText));
    }
}
