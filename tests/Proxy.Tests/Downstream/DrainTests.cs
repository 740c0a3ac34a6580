using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Http1;
using Weft.Proxy.Tests.Forwarding;
using Weft.Proxy.Tests.Support;
using Weft.Testing;

namespace Weft.Proxy.Tests.Downstream;

/// <summary>Connections that are to end: who is told, who is waited for, and who is not.</summary>
public sealed class DrainTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Fact]
    public void A_connection_that_has_said_nothing_yet_is_served_and_told()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address);
        using var client = bed.Connect();
        Assert.True(SpinWait.SpinUntil(() => bed.Acceptor.Connections == 1, 20_000));

        bed.OnLoop(() => bed.Acceptor.Drain(60_000, hurry: true));

        Assert.Contains("connection: close\r\n", EngineBed.Talk(client, Get), StringComparison.Ordinal);
    }

    [Fact]
    public void Connections_that_nobody_has_accepted_yet_are_served_and_told()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address);
        Socket[] clients = [];
        bed.OnLoop(() =>
        {
            // The loop is here, so that these can only wait in the socket.
            clients = [.. Enumerable.Range(0, 100).Select(_ => bed.Connect())];
            bed.StopListening();
            bed.Acceptor.Drain(60_000, hurry: true);
        });

        foreach (var client in clients)
        {
            Assert.Contains("connection: close\r\n", EngineBed.Talk(client, Get), StringComparison.Ordinal);
            client.Dispose();
        }

        Assert.Throws<SocketException>(() => bed.Connect());
    }

    [Fact]
    public void Without_hurry_a_client_that_asks_late_is_told_as_well()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address);
        using var patient = bed.Connect();
        using var hurried = bed.Connect();
        EngineBed.Ask(patient, Get);
        EngineBed.Ask(hurried, Get);

        bed.OnLoop(() => bed.Acceptor.Drain(60_000, hurry: false));

        // 30 s at least are left to both.
        Assert.Contains("connection: close\r\n", EngineBed.Talk(hurried, Get), StringComparison.Ordinal);
        Assert.Contains("connection: close\r\n", EngineBed.Talk(patient, Get), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_is_told_with_the_last_request_that_its_connection_may_have()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address, settings => settings with { Http1 = new Http1ServerOptions(Http1Limits.Default, "http") { MaxRequests = 3 } });
        using var client = bed.Connect();
        Assert.DoesNotContain("connection: close", EngineBed.Ask(client, Get), StringComparison.Ordinal);
        Assert.DoesNotContain("connection: close", EngineBed.Ask(client, Get), StringComparison.Ordinal);
        Assert.Contains("connection: close\r\n", EngineBed.Talk(client, Get), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_is_told_when_its_connection_is_old_and_the_connection_is_closed_if_it_does_not_ask()
    {
        using var upstream = new RecordingUpstream();
        using var bed = new EngineBed(upstream.Address, settings => settings with { MaxAgeMilliseconds = 200 });
        using var idle = bed.Connect();
        EngineBed.Ask(idle, Get);
        using var asking = bed.Connect();
        while (!EngineBed.Ask(asking, Get).Contains("connection: close\r\n", StringComparison.Ordinal))
        {
        }

        Assert.Equal("", EngineBed.ReadToEnd(asking));
        Assert.Equal("", EngineBed.ReadToEnd(idle));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(100, 0)]
    public async Task Clients_of_both_protocols_notice_nothing_of_connections_that_end_with_age_or_use(int milliseconds, int requests)
    {
        var (cluster, server) = await ProxyFixture.ServeAsync("web", context => context.Response.WriteAsync("fine"));
        await using var own = server;
        var config = ProxyFixture.Config([ProxyFixture.Everything(new ForwardAction { Clusters = [new WeightedCluster { Cluster = "web" }] })], cluster);
        var http = new HttpSettings { MaxConnectionAge = TimeSpan.FromMilliseconds(milliseconds), MaxRequestsPerConnection = requests };
        await using var proxy = await ProxyFixture.StartAsync(config with { Listeners = [.. config.Listeners.Select(listener => listener with { Http = http })] });

        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            var connections = 0;
            using var client = new HttpClient(new SocketsHttpHandler
            {
                UseProxy = false,
                ConnectCallback = async (context, cancellationToken) =>
                {
                    Interlocked.Increment(ref connections);
                    var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            });
            for (var i = 0; i < 40 || Volatile.Read(ref connections) < 3; i++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, proxy.Url())
                {
                    Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new StringContent("not to be sent twice", Encoding.UTF8),
                };
                using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
                Assert.Equal("fine", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            }
        }
    }

    [Fact]
    public async Task An_end_does_not_wait_for_connections_that_nobody_uses()
    {
        var (cluster, server) = await ProxyFixture.ServeAsync("web", context => context.Response.WriteAsync("fine"));
        await using var own = server;
        await using var proxy = await ProxyFixture.StartAsync(cluster);
        using (await proxy.GetAsync())
        {
        }

        using var silent = new TcpClient();
        await silent.ConnectAsync(proxy.Address, TestContext.Current.CancellationToken);

        // Longer than this waits.
        var draining = proxy.Engine.DrainAsync(TimeSpan.FromSeconds(64));

        await Eventually.EndsAsync(draining);
    }
}
