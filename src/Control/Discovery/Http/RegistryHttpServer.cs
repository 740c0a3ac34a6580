using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Weft.Control.Discovery.Http;

/// <summary>The API on a port. A connection from where nobody is heard is closed before its first byte is read.</summary>
public sealed class RegistryHttpServer : IAsyncDisposable
{
    private static readonly TimeSpan StopGrace = TimeSpan.FromMilliseconds(500); // blocking queries wait for minutes: their clients ask again

    // Blocking queries hold one each, over HTTP/1.1; the rest are short.
    private const int MaxConnections = 12_000;

    private readonly WebApplication _web;
    private readonly TimeProvider _time;

    private RegistryHttpServer(WebApplication web, int port, TimeProvider time) => (_web, Port, _time) = (web, port, time);

    public int Port { get; }

    /// <returns>Null when somebody else listens there.</returns>
    public static async Task<RegistryHttpServer?> TryStartAsync(ConsulApi api, IPEndPoint listen, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Limits.MaxRequestBodySize = null; // each path counts for itself, and answers in Consul's words
            kestrel.Listen(listen, on =>
            {
                on.Protocols = HttpProtocols.Http1;
                on.Use(next => connection => connection.RemoteEndPoint is IPEndPoint remote && api.Access.Hears(remote.Address) ? next(connection) : Task.CompletedTask);
            });
        });
        var web = builder.Build();
        var server = web.Services.GetRequiredService<IServer>();
        try
        {
            await server.StartAsync(new Application(api), cancellationToken);
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException)
        {
            await web.DisposeAsync();
            return null;
        }

        return new RegistryHttpServer(web, new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port, time);
    }

    public async ValueTask DisposeAsync()
    {
        using var grace = new CancellationTokenSource(StopGrace, _time);
        await _web.Services.GetRequiredService<IServer>().StopAsync(grace.Token);
        await _web.DisposeAsync();
    }

    private sealed class Application(ConsulApi api) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => api.HandleAsync(context);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }
}
