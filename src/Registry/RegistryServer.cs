using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Weft.Registry.Http;

namespace Weft.Registry;

/// <summary>The registry on a loopback address, in plain HTTP: what docker, skopeo and containerd take without any setting.</summary>
public sealed class RegistryServer : IAsyncDisposable
{
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(2);

    private readonly WebApplication _web;
    private readonly TimeProvider _time;

    private RegistryServer(WebApplication web, int port, TimeProvider time) => (_web, Port, _time) = (web, port, time);

    public int Port { get; }

    /// <returns>Null when somebody else listens there.</returns>
    public static async Task<RegistryServer?> TryStartAsync(RegistryEndpoint endpoint, IPEndPoint listen, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null; // the upload counts, and answers in the specification's words
            kestrel.Listen(listen);
        });
        var web = builder.Build();
        var server = web.Services.GetRequiredService<IServer>();
        try
        {
            await server.StartAsync(new Application(endpoint), cancellationToken);
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException)
        {
            await web.DisposeAsync();
            return null;
        }

        return new RegistryServer(web, new Uri(server.Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port, time);
    }

    public async ValueTask DisposeAsync()
    {
        using var grace = new CancellationTokenSource(StopGrace, _time);
        await _web.Services.GetRequiredService<IServer>().StopAsync(grace.Token);
        await _web.DisposeAsync();
    }

    private sealed class Application(RegistryEndpoint endpoint) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => IsLocal(context.Request.Host.Host)
            ? endpoint.HandleAsync(context)
            // A web page may make its own name point at 127.0.0.1 and have the browser ask on its behalf (DNS rebinding).
            : RegistryJson.WriteErrorAsync(context, StatusCodes.Status403Forbidden, "DENIED", "ask for 127.0.0.1 or localhost");

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }

        private static bool IsLocal(string host) => host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
    }
}
