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
}
