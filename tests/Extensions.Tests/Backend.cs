using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Weft.Extensions.Tests;

/// <summary>An instance of a service: answers with its name, or as it is told.</summary>
internal sealed class Backend : IAsyncDisposable
{
    private readonly WebApplication _web;

    private Backend(WebApplication web) => _web = web;

    public int Port { get; private init; }

    public int Status { get; set; } = 200;

    /// <summary>That requests must have.</summary>
    public string? Token { get; set; }

    public string? SeenHost { get; private set; }

    public int Requests => _requests;

    private int _requests;

    public static async Task<Backend> StartAsync(string name)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var web = builder.Build();
        Backend? backend = null;
        web.Run(async context =>
        {
            Interlocked.Increment(ref backend!._requests);
            backend.SeenHost = context.Request.Host.Value;
            context.Response.StatusCode = backend.Token is { } token && context.Request.Headers.Authorization != token ? 401 : backend.Status;
            await context.Response.WriteAsync(name);
        });
        await web.StartAsync();
        backend = new(web) { Port = new Uri(web.Urls.First()).Port };
        return backend;
    }

    public async ValueTask DisposeAsync() => await _web.DisposeAsync();
}
