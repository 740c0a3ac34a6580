using Microsoft.Extensions.Logging.Abstractions;
using Weft.Node.Logs;
using Weft.Node.Runtime;
using Weft.Node.Tests.Images;
using Weft.Testing;

namespace Weft.Node.Tests.Logs;

public sealed class LogRotatorTests
{
    [Fact]
    public async Task A_log_that_is_full_is_moved_within_a_second_and_one_that_floods_ten_times_as_often()
    {
        using var dir = new TempDir();
        var (time, containers) = (new ManualTime(), new FakeContainers());
        var sandbox = await containers.CreateSandboxAsync(new SandboxSpec { PodUid = "u", Namespace = "n", Name = "p", Hostname = "p" }, default);
        var path = dir.File("0.log");
        var made = await containers.CreateContainerAsync(sandbox.Id, new ContainerSpec { Name = "a", Attempt = 0, SpecHash = "h", Command = [], LogPath = path }, default);
        await containers.StartContainerAsync(made.Id, default);
        using var stop = new CancellationTokenSource();
        Fill(path);
        var running = new LogRotator([() => null, () => containers], time, NullLogger<LogRotator>.Instance).RunAsync(stop.Token);

        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(path + ".1") && time.PendingTimers == 1), "the first move");
        Fill(path);
        time.Advance(TimeSpan.FromMilliseconds(100));
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(path + ".2") && time.PendingTimers == 1), "the move of a flood");

        await stop.CancelAsync();
        await running;

        static void Fill(string path)
        {
            using var file = File.Create(path);
            file.SetLength(LogRotation.MaxBytes);
        }
    }

    [Fact]
    public void What_a_flood_wrote_too_much_is_taken_from_the_oldest_files()
    {
        using var dir = new TempDir();
        var path = dir.File("0.log");
        foreach (var mebibytes in new[] { 10, 10, 12, 35, 100 })
        {
            using (var file = File.Create(path))
                file.SetLength(mebibytes * 1024L * 1024);
            LogRotation.Shift(path);
        }

        Assert.Equal(["0.log.1"], Directory.GetFiles(dir.Path).Select(Path.GetFileName));
        Assert.Equal(100 * 1024 * 1024, new FileInfo(path + ".1").Length);
    }

    [Fact]
    public void Files_of_the_usual_size_are_kept_until_there_are_five()
    {
        using var dir = new TempDir();
        var path = dir.File("0.log");
        for (var i = 0; i < 7; i++)
        {
            using (var file = File.Create(path))
                file.SetLength(LogRotation.MaxBytes);
            LogRotation.Shift(path);
        }

        Assert.Equal(["0.log.1", "0.log.2", "0.log.3", "0.log.4"], Directory.GetFiles(dir.Path).Select(Path.GetFileName).Order());
    }
}
