using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Health;
using Weft.Testing;

namespace Weft.Proxy.Tests.Health;

/// <summary>Real servers are asked; the rhythm is a clock that the test moves.</summary>
public sealed class HealthCheckerTests
{
    private readonly ManualTime _time = new();
    private readonly ConcurrentQueue<(bool Healthy, string? Reason)> _changes = new();

    [Fact]
    public async Task An_endpoint_goes_out_after_its_threshold_and_comes_back()
    {
        var status = 200;
        await using var server = await ServeAsync(context =>
        {
            Assert.Equal("/ready", context.Request.Path.Value);
            Assert.Equal("shop.example", context.Request.Host.Host);
            Assert.Equal("yes", context.Request.Headers["x-probe"]);
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        await using var checker = Start(new HttpHealthCheck { Path = "/ready", Unhealthy = 2, Timeout = TimeSpan.FromDays(1), Headers = [new("x-probe", "yes")], Host = "shop.example" }, Address(server));

        await PassUntilAsync(changes: 1);
        status = 503;
        await PassUntilAsync(changes: 2);
        status = 204;
        await PassUntilAsync(changes: 3);

        Assert.Equal([(true, null), (false, "answered 503"), (true, null)], _changes);
    }

    [Fact]
    public async Task A_closed_port_is_refused_and_a_silent_one_times_out()
    {
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        silent.Listen();
        var address = (IPEndPoint)silent.LocalEndPoint!;
        await using (var checker = Start(new HttpHealthCheck { Timeout = TimeSpan.FromSeconds(3) }, address))
        {
            using var accepted = await silent.AcceptAsync(TestContext.Current.CancellationToken);
            _time.Advance(TimeSpan.FromSeconds(4));
            await Eventually.TrueAsync(() => _changes.Count == 1);
            Assert.Equal((false, "no answer within 3 s"), _changes.Single());
        }

        silent.Close();
        _changes.Clear();
        await using (var checker = Start(new TcpHealthCheck(), address))
        {
            await Eventually.TrueAsync(() => _changes.Count == 1);
            Assert.Equal((false, "connection refused"), _changes.Single());
        }
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(2, "is not serving")]
    public async Task A_grpc_server_says_whether_it_serves(byte serving, string? reason)
    {
        await using var server = await ServeAsync(
            async context =>
            {
                Assert.Equal("/grpc.health.v1.Health/Check", context.Request.Path.Value);
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                Assert.Equal([0, 0, 0, 0, 6, 0x0A, 4, .. "shop"u8], body.ToArray());
                context.Response.ContentType = "application/grpc";
                await context.Response.Body.WriteAsync(new byte[] { 0, 0, 0, 0, 2, 8, serving });
                context.Response.AppendTrailer("grpc-status", "0");
            },
            HttpProtocols.Http2);
        await using var checker = Start(new GrpcHealthCheck { Service = "shop" }, Address(server));

        await Eventually.TrueAsync(() => _changes.Count == 1);
        Assert.Equal((reason is null, reason), _changes.Single());
    }

    [Fact]
    public async Task An_endpoint_that_is_gone_is_not_asked_any_more_and_another_keeps_its_state()
    {
        var asked = 0;
        await using var server = await ServeAsync(context =>
        {
            Interlocked.Increment(ref asked);
            return Task.CompletedTask;
        });
        await using var checker = Start(new HttpHealthCheck(), Address(server));
        await Eventually.TrueAsync(() => _changes.Count == 1);

        checker.SetTargets([Target(Address(server)), new HealthTarget("other", Address(server), null)]);
        await Eventually.TrueAsync(() => _changes.Count == 2 && asked == 2);
        checker.SetTargets([]);
        _time.Advance(TimeSpan.FromMinutes(5));
        checker.SetTargets([Target(Address(server))]);
        await Eventually.TrueAsync(() => _changes.Count == 3);

        Assert.Equal(3, asked);
    }

    private HealthChecker Start(HealthCheckConfig check, IPEndPoint address)
    {
        var checker = new HealthChecker("web", check, HealthProbes.Create(check, UpstreamProtocol.Http1, tls: null), (_, healthy, reason) => _changes.Enqueue((healthy, reason)), _time, new Random(1), NullLogger<HealthChecker>.Instance);
        checker.SetTargets([Target(address)]);
        return checker;
    }

    private static HealthTarget Target(IPEndPoint address) => new("one", address, null);

    private Task PassUntilAsync(int changes) => Eventually.TrueAsync(() =>
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        return _changes.Count == changes;
    });

    private static IPEndPoint Address(WebApplication server) => new(IPAddress.Loopback, new Uri(server.Urls.Single()).Port);

    private static async Task<WebApplication> ServeAsync(RequestDelegate handle, HttpProtocols protocols = HttpProtocols.Http1)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocols));
        var app = builder.Build();
        app.Run(handle);
        await app.StartAsync();
        return app;
    }
}
