using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Control.Mesh;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Runtime;
using Weft.Testing;

namespace Weft.Control.Tests.Mesh;

/// <summary>
/// Manifests beside the world, compiled, assembled and served by a real engine on loopback. The services web and reviews are a server each that says who it is and what it got;
/// reviews is an authorizer at /check.
/// </summary>
internal sealed class DoorBed : IAsyncDisposable
{
    private static readonly CertificateConfig _good = Certificate("client");

    private readonly List<WebApplication> _servers = [];
    private readonly ProxyEngine _engine = new(loops: 1, accessLog: null, TimeProvider.System, Seeded.Random(7), NullLoggerFactory.Instance);
    private readonly HttpClient _client;

    private DoorBed()
    {
        _client = new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseProxy = false, UseCookies = false,
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(_engine.Addresses[$"gateway/{context.DnsEndPoint.Port}"], cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
            SslOptions = new()
            {
                LocalCertificateSelectionCallback = (_, _, _, _, _) => Client!, ClientCertificates = [],
                RemoteCertificateValidationCallback = (_, certificate, _, _) => { Shown = certificate?.Subject; return true; },
            },
        });
    }

    /// <summary>That every Secret with authorities of clients vouches for.</summary>
    public static X509Certificate2 GoodClient { get; } = X509Certificate2.CreateFromPem(_good.Chain.Inline, _good.Key.Inline);

    /// <summary>Shown where one is asked for; null: none.</summary>
    public X509Certificate2? Client { get; set; }

    /// <summary>Subject of the certificate that was shown last.</summary>
    public string? Shown { get; private set; }

    public static async Task<DoorBed> StartAsync(string yaml)
    {
        var bed = new DoorBed();
        var read = MeshCase.Parse(await File.ReadAllTextAsync(Path.Combine(MeshCase.Folder(), "world.yaml")) + "\n---\n" + yaml);
        var snapshot = MeshCompiler.Compile(read.Inputs);
        var config = Assembled.Of(snapshot.Units);
        var (web, reviews) = (await bed.ServeAsync("web"), await bed.ServeAsync("reviews"));
        await bed._engine.ApplyAsync(config with
        {
            Listeners = config.Listeners.Where(listener => listener.Name.StartsWith("gateway/", StringComparison.Ordinal)).Select(listener => listener with
            {
                Address = "127.0.0.1", Port = 0,
                Tls = listener.Tls is not { } tls ? null : tls with { Hosts = tls.Hosts.Select(host => host.ClientAuthorities is null ? host : host with { ClientAuthorities = _good.Chain }).ToValueList() },
            }).ToValueList(),
            RouteTables = config.RouteTables.Where(table => table.Name.StartsWith("gateway/", StringComparison.Ordinal)).ToValueList(),
            Clusters = config.Clusters.Select(cluster => cluster with
            {
                Endpoints = cluster.Name.StartsWith("reviews.", StringComparison.Ordinal) ? [reviews] : cluster.Name.StartsWith("web.", StringComparison.Ordinal) || cluster.Name.StartsWith("my-app", StringComparison.Ordinal) ? [web] : [],
            }).ToValueList(),
            Certificates = config.Certificates.Select(certificate => Certificate(certificate.Name)).ToValueList(),
        });
        return bed;
    }

    /// <summary>Status, and the answer's text.</summary>
    public async Task<(int Status, string Text, HttpResponseMessage Response)> GetAsync(string url, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        var response = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), response);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _engine.DisposeAsync();
        foreach (var server in _servers)
            await server.DisposeAsync();
    }

    private async Task<EndpointConfig> ServeAsync(string name)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        var app = builder.Build();
        app.Run(context => context.Request.Path == "/check" ? CheckAsync(context) : EchoAsync(context, name));
        await app.StartAsync();
        _servers.Add(app);
        return new() { Address = "127.0.0.1", Port = new Uri(app.Urls.Single()).Port };
    }

    private static Task EchoAsync(HttpContext context, string name)
        => context.Response.WriteAsync($"{name} {context.Request.Method} {context.Request.Path}{context.Request.QueryString}\n" + string.Concat(context.Request.Headers.Select(header => $"{header.Key.ToLowerInvariant()}: {header.Value}\n")));

    private static Task CheckAsync(HttpContext context)
    {
        context.Response.Headers["x-user"] = "anna";
        context.Response.StatusCode = context.Request.Headers["x-ticket"] == "good" ? 200 : 401;
        return context.Response.WriteAsync($"asked about {context.Request.Headers["x-original-method"]} {context.Request.Headers["x-original-url"]} by {context.Request.Method}{context.Request.QueryString}");
    }

    // Its subject is its own name, and it is for a host of that name.
    private static CertificateConfig Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name.Split('/')[^1].Replace("-cert", ".example", StringComparison.Ordinal));
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
        return new() { Name = name, Chain = new() { Inline = certificate.ExportCertificatePem() }, Key = new() { Inline = key.ExportPkcs8PrivateKeyPem() } };
    }
}
