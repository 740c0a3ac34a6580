using Microsoft.Extensions.Logging.Abstractions;
using Weft.Node.Agent.Tunnels;
using Weft.Testing;

namespace Weft.Node.Tests.Agent;

public sealed class TunnelClientTests
{
    [Fact]
    public async Task A_server_that_takes_connections_and_never_answers_is_dialled_again()
    {
        var (time, dials) = (new ManualTime(), 0);
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                Interlocked.Increment(ref dials);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
                throw new InvalidOperationException();
            },
        };
        await using var client = new TunnelClient(new Uri("http://127.0.0.1:1"), handler, null!, time, NullLogger<TunnelClient>.Instance);
        client.Start();
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return Volatile.Read(ref dials) >= 3;
        }, "it is dialled three times");
    }
}
