using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Forwarding;
using Weft.Proxy.Tests.Support;
using Weft.Proxy.Tests.Tls;
using Weft.Proxy.Upstream;
using Weft.Proxy.Upstream.Clusters;
using Weft.Testing;

namespace Weft.Proxy.Tests.Upstream;

/// <summary>A cluster that may have fewer connections than it has pools: one for each loop, endpoint and protocol.</summary>
public sealed class ScarceConnectionTests
{
    private const string Request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    /// <summary>An unused connection is closed for a pool that waits, long before its idle time is over.</summary>
    [Fact]
    public void A_connection_that_nobody_uses_makes_room_for_another_pool()
    {
        using var upstream = new RecordingUpstream();
        var limits = new ClusterLimits(new PoolLimits { MaxConnections = 1 }, new RetryBudget());
        using var here = new EngineBed(upstream.Address, pool: new PoolOptions { Limits = limits, PendingMilliseconds = 60_000 });
        using var there = new EngineBed(upstream.Address, pool: new PoolOptions { Limits = limits, PendingMilliseconds = 60_000 });
        using var first = here.Connect();
        using var second = there.Connect();
        for (var i = 0; i < 5; i++)
        {
            Assert.StartsWith("HTTP/1.1 200 ", EngineBed.Ask(first, Request));
            Assert.StartsWith("HTTP/1.1 200 ", EngineBed.Ask(second, Request));
        }

        Assert.Equal((1, 0), (limits.Connections, limits.Pending));
    }

    /// <summary>With one connection for two loops and three endpoints each client is served in its turn, whatever the protocol, and the limit holds.</summary>
    [Theory]
    [InlineData(HttpProtocols.Http1, UpstreamProtocol.Http1, false, 1)]
    [InlineData(HttpProtocols.Http2, UpstreamProtocol.Http2, false, 1)]
    [InlineData(HttpProtocols.Http1, UpstreamProtocol.Auto, true, 2)]
    [InlineData(HttpProtocols.Http1AndHttp2, UpstreamProtocol.Auto, true, 2)]
    public async Task Everybody_is_served_with_fewer_connections_than_pools(HttpProtocols protocols, UpstreamProtocol protocol, bool tls, int most)
    {
        const int Clients = 24, Each = 12;
        using var authority = new TestAuthority();
        using var certificate = authority.IssueForDotNet();
        var open = 0;
        var worst = 0;
        var servers = new List<WebApplication>();
        for (var i = 0; i < 3; i++)
            servers.Add(await ServerAsync(protocols, tls ? certificate : null, change => worst = Math.Max(worst, Interlocked.Add(ref open, change))));
        var cluster = ProxyFixture.Cluster("web", [.. servers]) with
        {
            Protocol = protocol,
            Limits = new PoolLimits { MaxConnections = most, PendingTimeout = TimeSpan.FromSeconds(60) },
            Tls = tls ? new UpstreamTls { ServerName = "a.example", Authorities = new DataSource { Inline = System.Text.Encoding.ASCII.GetString(authority.Pem) } } : null,
        };
        await using var proxy = await ProxyFixture.StartAsync(ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "web" }], Retry = RetryPolicy.None, Timeout = TimeSpan.FromSeconds(60) }), cluster);

        // Each client has a connection of its own, so that both loops have some.
        await Eventually.EndsAsync(Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            for (var i = 0; i < Each; i++)
            {
                using var response = await client.PostAsync(proxy.Url(), new StringContent("hello"), TestContext.Current.CancellationToken);
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                Assert.Equal("hello", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
            }
        })));

        // A server may hear of a close after the next connection has been made to another one.
        Assert.InRange(worst, 1, most + 2);
        foreach (var server in servers)
            await server.DisposeAsync();
    }

    private static async Task<WebApplication> ServerAsync(HttpProtocols protocols, X509Certificate2? certificate, Action<int> counted)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = protocols;
            if (certificate is not null)
                listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificate = certificate });
            listen.Use(next => async connection =>
            {
                counted(1);
                try
                {
                    await next(connection);
                }
                finally
                {
                    counted(-1);
                }
            });
        }));
        var app = builder.Build();
        app.Run(context => context.Request.Body.CopyToAsync(context.Response.Body));
        await app.StartAsync();
        return app;
    }
}
