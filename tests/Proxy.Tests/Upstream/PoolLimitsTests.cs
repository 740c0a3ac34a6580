using System.Net;
using System.Net.Sockets;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Support;
using Weft.Proxy.Upstream;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Tests.Upstream;

public sealed class PoolLimitsTests
{
    private const string Request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Fact]
    public async Task Beyond_the_connections_of_a_cluster_requests_wait_and_beyond_those_they_are_refused()
    {
        using var endpoint = new TcpListener(IPAddress.Loopback, 0);
        endpoint.Start();
        var limits = new ClusterLimits(new PoolLimits { MaxConnections = 1, MaxPending = 1 }, new RetryBudget());
        using var bed = new EngineBed((IPEndPoint)endpoint.LocalEndpoint, pool: new PoolOptions { Limits = limits });
        using var first = bed.Connect();
        using var second = bed.Connect();
        using var third = bed.Connect();
        first.Send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"u8);
        using var accepted = await endpoint.AcceptSocketAsync();
        await ReadAsync(accepted);
        second.Send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"u8);
        Assert.True(SpinWait.SpinUntil(() => limits.Pending == 1, 20_000));
        Assert.StartsWith("HTTP/1.1 503 ", EngineBed.Ask(third, Request));
        // The one that waits gets the connection of the one that is done.
        accepted.Send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"u8);
        Assert.EndsWith("\r\n\r\na", EngineBed.ReadResponse(first));
        Assert.StartsWith("GET /2 ", await ReadAsync(accepted));
        Assert.Equal((1, 0), (limits.Connections, limits.Pending));
        accepted.Send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nb"u8);
        Assert.EndsWith("\r\n\r\nb", EngineBed.ReadResponse(second));
        Assert.True(SpinWait.SpinUntil(() => limits.Connections == 0, 20_000));
    }

    [Fact]
    public async Task Who_has_waited_long_enough_is_told_and_who_goes_away_is_forgotten()
    {
        using var endpoint = new TcpListener(IPAddress.Loopback, 0);
        endpoint.Start();
        var limits = new ClusterLimits(new PoolLimits { MaxConnections = 1, MaxPending = 10 }, new RetryBudget());
        using var bed = new EngineBed((IPEndPoint)endpoint.LocalEndpoint, pool: new PoolOptions { Limits = limits, PendingMilliseconds = 300 });
        using var first = bed.Connect();
        first.Send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"u8);
        using var accepted = await endpoint.AcceptSocketAsync();
        await ReadAsync(accepted);
        using (var gone = bed.Connect())
        {
            gone.Send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"u8);
            Assert.True(SpinWait.SpinUntil(() => limits.Pending == 1, 20_000));
        }

        Assert.True(SpinWait.SpinUntil(() => limits.Pending == 0, 20_000));
        using var patient = bed.Connect();
        Assert.StartsWith("HTTP/1.1 503 ", EngineBed.Ask(patient, Request));
        Assert.Equal((1, 0), (limits.Connections, limits.Pending));
    }

    [Fact]
    public void A_connection_is_retired_after_its_requests()
    {
        using var upstream = new RecordingUpstream();
        var limits = new ClusterLimits(new PoolLimits(), new RetryBudget());
        using var bed = new EngineBed(upstream.Address, pool: new PoolOptions { Limits = limits, MaxRequestsPerConnection = 3 });
        using var client = bed.Connect();
        for (var i = 0; i < 9; i++)
            EngineBed.Ask(client, Request);
        Assert.Equal(3, upstream.Connections);
        Assert.Equal(0, limits.Connections);
    }

    [Fact]
    public void Idle_connections_go()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address, pool: new PoolOptions { IdleMilliseconds = 100 });
        using var client = bed.Connect();
        EngineBed.Ask(client, Request);
        Assert.True(SpinWait.SpinUntil(() => bed.Pool.Connections == 0, 20_000));
        EngineBed.Ask(client, Request);
        Assert.Equal(2, upstream.Connections);
    }

    private static async Task<string> ReadAsync(Socket socket)
    {
        var buffer = new byte[4096];
        return System.Text.Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(20)));
    }
}
