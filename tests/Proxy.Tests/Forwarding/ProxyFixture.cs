using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Runtime;

namespace Weft.Proxy.Tests.Forwarding;

/// <summary>A real engine on port 0 with real servers behind it; clients are .NET's.</summary>
internal sealed class ProxyFixture : IAsyncDisposable
{
    private readonly List<WebApplication> _servers = [];
    private readonly MemoryStream _access = new();

    private ProxyFixture(TimeProvider? time = null) => Engine = new ProxyEngine(loops: 2, _access, time ?? TimeProvider.System, new Random(7), NullLoggerFactory.Instance);

    public ProxyEngine Engine { get; }

    public HttpClient Client { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false }) { Timeout = TimeSpan.FromSeconds(60) };

    public IPEndPoint Address => Engine.Addresses["main"];

    public static Task<ProxyFixture> StartAsync(params ClusterConfig[] clusters) => StartAsync(Everything(new ForwardAction { Clusters = [new WeightedCluster { Cluster = clusters[0].Name }] }), clusters);

    public static async Task<ProxyFixture> StartAsync(RouteConfig route, params ClusterConfig[] clusters)
    {
        var fixture = new ProxyFixture();
        await fixture.ApplyAsync([route], clusters);
        return fixture;
    }

    public static async Task<ProxyFixture> StartAsync(ProxyConfig config, TimeProvider? time = null)
    {
        var fixture = new ProxyFixture(time);
        await fixture.Engine.ApplyAsync(config);
        return fixture;
    }

    public Task ApplyAsync(ValueList<RouteConfig> routes, params ClusterConfig[] clusters) => Engine.ApplyAsync(Config(routes, clusters));

    public static ProxyConfig Config(ValueList<RouteConfig> routes, params ClusterConfig[] clusters) => new()
    {
        Listeners = [new ListenerConfig { Name = "main", Address = "127.0.0.1", Port = 0, RouteTable = "all" }],
        RouteTables = [new RouteTableConfig { Name = "all", Hosts = [new VirtualHostConfig { Name = "any", Domains = ["*"], Routes = routes }] }],
        Clusters = [.. clusters],
    };

    public static RouteConfig Everything(RouteAction action) => new() { Name = "all", Action = action };

    /// <summary>A server of its own for this test, and the cluster of it alone.</summary>
    public static async Task<(ClusterConfig Cluster, WebApplication Server)> ServeAsync(string name, RequestDelegate handle, HttpProtocols protocols = HttpProtocols.Http1)
    {
        var server = await ServerAsync(handle, protocols);
        return (Cluster(name, server), server);
    }

    public static ClusterConfig Cluster(string name, params WebApplication[] servers) => new()
    {
        Name = name,
        LoadBalancer = new RoundRobinBalancer(),
        Endpoints = [.. servers.Select(server => new EndpointConfig { Address = "127.0.0.1", Port = new Uri(server.Urls.Single()).Port })],
    };

    public static async Task<WebApplication> ServerAsync(RequestDelegate handle, HttpProtocols protocols = HttpProtocols.Http1, IPAddress? address = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(address ?? IPAddress.Loopback, 0, listen => listen.Protocols = protocols));
        var app = builder.Build();
        app.UseWebSockets();
        app.Run(handle);
        await app.StartAsync();
        return app;
    }

    public Uri Url(string path = "/") => new($"http://{Address}{path}");

    public Task<HttpResponseMessage> GetAsync(string path = "/") => Client.GetAsync(Url(path));

    public string Metrics()
    {
        using var text = new StringWriter { NewLine = "\n" };
        Engine.WriteMetrics(text);
        return text.ToString();
    }

    /// <summary>The lines of the access log so far.</summary>
    public string Records()
    {
        lock (_access)
            return Encoding.UTF8.GetString(_access.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Engine.DisposeAsync();
        foreach (var server in _servers)
            await server.DisposeAsync();
    }
}
