using System.IO.Pipes;
using Weft.Cli.Processes;
using Weft.Testing;

namespace Weft.Cli.Tests;

public sealed class OutputReaderTests
{
    [Fact]
    public async Task A_command_that_nobody_reads_any_more_ends()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        var started = new TaskCompletionSource();
        var running = OutputReader.WhileReadAsync(Descriptor(pipe), async token =>
        {
            started.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return 1;
        }, TestContext.Current.CancellationToken, OutputReader.BrokenPipe);
        await started.Task;
        Assert.False(running.IsCompleted);

        pipe.DisposeLocalCopyOfClientHandle();

        Assert.Equal(141, await Eventually.EndsAsync(running));
    }

    [Fact]
    public async Task A_command_that_is_read_ends_by_itself_or_when_it_is_told_to()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        Assert.Equal(7, await OutputReader.WhileReadAsync(Descriptor(pipe), _ => Task.FromResult(7), TestContext.Current.CancellationToken));

        using var told = new CancellationTokenSource();
        var running = OutputReader.WhileReadAsync(Descriptor(pipe), async token =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return 1;
        }, told.Token);
        await told.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Eventually.EndsAsync(running));
    }

    private static int Descriptor(AnonymousPipeServerStream pipe) => (int)pipe.SafePipeHandle.DangerousGetHandle();
}
