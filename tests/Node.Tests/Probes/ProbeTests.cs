using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Weft.Api.Core;
using Weft.Node.Probes;

namespace Weft.Node.Tests.Probes;

public sealed class ProbeTests
{
    [Fact]
    public void Thresholds_count_outcomes_in_a_row()
    {
        var count = ProbeCount.Begin(passing: true);
        count = count.Add(false, 1, 3).Add(false, 1, 3);
        Assert.True(count.Passing);
        Assert.True(count.Add(true, 1, 3).Add(false, 1, 3).Add(false, 1, 3).Passing);
        Assert.False(count.Add(false, 1, 3).Passing);

        var down = ProbeCount.Begin(passing: false).Add(true, 2, 1);
        Assert.False(down.Passing);
        Assert.True(down.Add(true, 2, 1).Passing);
    }

    [Fact]
    public void The_first_period_is_tried_often_and_later_ones_once()
    {
        var probe = new Probe { PeriodSeconds = 10, HttpGet = new() };

        Assert.True(ProbeTimes.Next(probe, 0, TimeSpan.Zero, eager: true) < TimeSpan.FromMilliseconds(50));
        Assert.Equal(TimeSpan.FromSeconds(10), ProbeTimes.Next(probe, 5, TimeSpan.FromSeconds(11), eager: true));
        Assert.Equal(TimeSpan.FromSeconds(10), ProbeTimes.Next(probe, 0, TimeSpan.Zero, eager: false));
        Assert.False(ProbeTimes.Counts(probe, TimeSpan.FromSeconds(1), eager: true));
        Assert.True(ProbeTimes.Counts(probe, TimeSpan.FromSeconds(10), eager: true));
    }

    [Fact]
    public void Ports_are_found_by_number_or_name()
    {
        var container = new Container { Ports = [new() { Name = "web", Port = 8080 }] };

        Assert.Equal(8080, Ports.Resolve("web", container));
        Assert.Equal(9, Ports.Resolve(9, container));
        Assert.Null(Ports.Resolve("none", container));
        Assert.Null(Ports.Resolve(70000, container));
    }

    [Fact]
    public async Task Http_tcp_and_grpc_probes_ask_a_real_server()
    {
        await using var server = await ServerAsync();
        var (h1, h2) = (Port(server, 0), Port(server, 1));
        using var client = new ProbeClient(null!, TimeProvider.System);
        var target = new ProbeTarget(new Container(), "id", "127.0.0.1");

        Assert.True((await Ask(new() { HttpGet = new() { Port = h1, Path = "/ok", HttpHeaders = [new() { Name = "X-A", Value = "b" }] } })).Success);
        Assert.True((await Ask(new() { HttpGet = new() { Port = h1, Path = "/redirect" } })).Success);
        Assert.Equal("HTTP probe failed with statuscode: 503", (await Ask(new() { HttpGet = new() { Port = h1, Path = "/down" } })).Message);
        Assert.StartsWith("no answer within 1 s", (await Ask(new() { HttpGet = new() { Port = h1, Path = "/slow" }, TimeoutSeconds = 1 })).Message);
        Assert.True((await Ask(new() { TcpSocket = new() { Port = h1 } })).Success);
        Assert.False((await Ask(new() { TcpSocket = new() { Port = 1 } })).Success);
        Assert.True((await Ask(new() { Grpc = new() { Port = h2, Service = "good" } })).Success);
        Assert.Contains("state other than SERVING", (await Ask(new() { Grpc = new() { Port = h2, Service = "bad" } })).Message);
        Assert.Contains("grpc status 5", (await Ask(new() { Grpc = new() { Port = h2, Service = "unknown" } })).Message);

        // A loaded machine may need more than the default second.
        Task<ProbeOutcome> Ask(Probe probe) => client.RunAsync(probe with { TimeoutSeconds = probe.TimeoutSeconds ?? 30 }, target, default);
    }

    private static int Port(WebApplication server, int index) => new Uri(server.Urls.ElementAt(index)).Port;

    private static async Task<WebApplication> ServerAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        var app = builder.Build();
        app.Run(async context =>
        {
            switch (context.Request.Path.Value)
            {
                case "/ok":
                    context.Response.StatusCode = context.Request.Headers["X-A"] == "b" && context.Request.Headers.UserAgent.ToString().StartsWith("kube-probe/", StringComparison.Ordinal) ? 200 : 500;
                    break;
                case "/redirect":
                    context.Response.Redirect("http://192.0.2.1/elsewhere");
                    break;
                case "/down":
                    context.Response.StatusCode = 503;
                    break;
                case "/slow":
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    break;
                case "/grpc.health.v1.Health/Check":
                    await HealthAsync(context);
                    break;
            }
        });
        await app.StartAsync();
        return app;
    }

    private static async Task HealthAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var service = System.Text.Encoding.UTF8.GetString(body.ToArray()[7..]);
        context.Response.ContentType = "application/grpc";
        if (service != "unknown")
            await context.Response.Body.WriteAsync(new byte[] { 0, 0, 0, 0, 2, 8, (byte)(service == "good" ? 1 : 2) });
        context.Response.AppendTrailer("grpc-status", service == "unknown" ? "5" : "0");
    }
}
