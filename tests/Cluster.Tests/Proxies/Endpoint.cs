using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Weft.Cluster.Tests.Proxies;

/// <summary>A server behind the proxy. It answers with its name, what it was asked, and the fields that it saw, each on a line.</summary>
internal sealed class Endpoint : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _requests;

    private Endpoint(string name, WebApplication app) => (Name, _app) = (name, app);

    public string Name { get; }

    public int Port => new Uri(_app.Urls.First()).Port;

    public string Address => $"127.0.0.1:{Port}";

    /// <summary>Those that were not about its health.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>In place of the answer; false: the answer as it always is.</summary>
    public Func<HttpContext, Task<bool>> Handle { get; set; } = _ => Task.FromResult(false);

    /// <summary>Of `/ready`.</summary>
    public int Ready { get; set; } = 200;

    public static async Task<Endpoint> StartAsync(string name, HttpProtocols protocols = HttpProtocols.Http1, string? certificate = null, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = protocols;
            if (certificate is not null)
                listen.UseHttps(Certificates.Load(certificate));
        }));
        var app = builder.Build();
        var endpoint = new Endpoint(name, app);
        app.UseWebSockets();
        app.Run(endpoint.AnswerAsync);
        await app.StartAsync();
        return endpoint;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Path == "/ready")
        {
            context.Response.StatusCode = Ready;
            return;
        }

        Interlocked.Increment(ref _requests);
        if (await Handle(context))
            return;
        var fields = context.Request.Headers.Select(field => $"{field.Key.ToLowerInvariant()}: {field.Value}");
        context.Response.Headers["x-endpoint"] = Name;
        await context.Response.WriteAsync($"{Name} {context.Request.Method} {context.Request.GetEncodedPathAndQuery()}\n{string.Join('\n', fields)}\n");
    }
}
