using Weft.ApiServer.Tests.Kit;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Http;

public sealed class LoopTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_loop_that_ends_by_itself_is_the_failure_of_the_server(bool throws)
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await TestServer.StartAsync(parts: parts => parts with { Loops = [LoopAsync] });
        Assert.False(server.Host.Failed.IsCompleted);
        (await server.GetAsync("/livez")).Expect(200);

        go.SetResult();

        var failure = await Eventually.EndsAsync(server.Host.Failed);
        Assert.Contains(nameof(LoopTests), failure.Message, StringComparison.Ordinal);
        Assert.Contains(throws ? "the disk is full" : "it has ended", failure.Message, StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await server.GetAsync("/livez")).Code == 500);

        async Task LoopAsync(CancellationToken cancellationToken)
        {
            await go.Task.WaitAsync(cancellationToken);
            if (throws)
                throw new IOException("the disk is full");
        }
    }

    [Fact]
    public async Task A_stop_is_no_failure()
    {
        var server = await TestServer.StartAsync(parts: parts => parts with { Loops = [cancellationToken => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken)] });
        await server.DisposeAsync();

        Assert.False(server.Host.Failed.IsCompleted);
    }
}
