using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Weft.Control.Tests.Discovery;

/// <summary>A gRPC server with the health protocol alone: HTTP/2, frames and trailers as a gRPC library writes them.</summary>
internal sealed class HealthServer : IAsyncDisposable
{
    private const int NotFound = 5, Unimplemented = 12;

    private readonly WebApplication _app;

    private HealthServer(WebApplication app) => _app = app;

    /// <summary>Services by name, and whether they serve. The empty name is the server itself.</summary>
    public ConcurrentDictionary<string, bool> Services { get; } = new() { [""] = true };

    public string Address => new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Authority;

    public static async Task<HealthServer> StartAsync(bool hasTls = false)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (hasTls)
                listen.UseHttps(Certificate());
        }));
        var app = builder.Build();
        var server = new HealthServer(app);
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        return server;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        context.Response.ContentType = "application/grpc";
        if (context.Request.Method != "POST" || context.Request.Path != "/grpc.health.v1.Health/Check" || context.Request.ContentType != "application/grpc")
        {
            context.Response.AppendTrailer("grpc-status", $"{Unimplemented}");
            return;
        }
        // A frame: not compressed, a length of four bytes, and a message with one text, which is left out when empty.
        var message = body.ToArray()[5..];
        var service = message.Length == 0 ? "" : Encoding.UTF8.GetString(message[2..]);
        if (!Services.TryGetValue(service, out var serves))
        {
            context.Response.AppendTrailer("grpc-status", $"{NotFound}");
            return;
        }
        await context.Response.Body.WriteAsync(new byte[] { 0, 0, 0, 0, 2, 0x08, (byte)(serves ? 1 : 2) });
        context.Response.AppendTrailer("grpc-status", "0");
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=health", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
