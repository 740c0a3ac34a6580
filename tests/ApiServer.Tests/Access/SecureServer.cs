using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api.Schemas;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Authorization;
using Weft.ApiServer.Certificates;
using Weft.ApiServer.Discovery;
using Weft.ApiServer.OpenApi;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Strategies;
using Weft.ApiServer.Tables;
using Weft.ApiServer.Tests.Kit;
using Weft.Storage.Memory;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Access;

/// <summary>A server as it runs in a cluster: TLS, certificates, tokens, RBAC, the built-in kinds; over a store in memory.</summary>
internal sealed class SecureServer : IAsyncDisposable
{
    private readonly string _directory;
    private readonly ApiServerHost _host;

    private SecureServer(string directory, MemoryStore store, ClusterPki pki, ServiceAccountTokens tokens, ApiServerHost host) =>
        (_directory, Store, Pki, Tokens, _host) = (directory, store, pki, tokens, host);

    internal const string ServersNode = "server-1";

    internal MemoryStore Store { get; }
    internal ClusterPki Pki { get; }
    internal ServiceAccountTokens Tokens { get; }
    internal Uri Address => _host.Address;

    internal static async Task<SecureServer> StartAsync()
    {
        var time = TimeProvider.System;
        var directory = Directory.CreateTempSubdirectory("weft-secure-").FullName;
        var store = new MemoryStore(time, null);
        await BootstrapPolicy.ReconcileAsync(store, time, default);
        var pki = ClusterPki.LoadOrCreate(new PkiOptions(Path.Combine(directory, "pki")), time);
        var objects = new StoredObjects(store);
        var tokens = new ServiceAccountTokens(pki.ServiceAccountKey, new([pki.ServiceAccountKey.PublicKey]), new(), objects, time);
        var feed = new RbacFeed(store, NullLogger<RbacFeed>.Instance);
        var authorizer = new UnionAuthorizer(new NodeAuthorizer(store), new RbacAuthorizer(feed));
        var union = new UnionAuthenticator(
            new InProcessAuthenticator(),
            new ClientCertificateAuthenticator(pki.Authority, time),
            new Nodes.JoinTokens(objects, time),
            new ServiceAccountTokenAuthenticator(tokens, NullLogger<ServiceAccountTokenAuthenticator>.Instance));
        var join = new Nodes.NodeJoin(
            pki, objects, new ClientCertificateAuthenticator(pki.Authority, time), new("10.244.0.0/16", "10.96.0.0/16", "cluster.local", 10, ServersNode), time, NullLoggerFactory.Instance);
        var schemas = new SchemaReader();
        var catalog = new FixedCatalog(BuiltInResources.All(schemas, k => Columns.For(k.Kind)));
        var host = new ApiServerHost(
            new ApiServerOptions
            {
                Store = store, Time = time, Random = Seeded.Random(7), Loggers = NullLoggerFactory.Instance,
                Listen = new IPEndPoint(IPAddress.Loopback, 0), ServerCertificate = pki.ServerCertificate,
            },
            new ApiServerParts
            {
                Catalog = catalog,
                Authenticator = new ImpersonatingAuthenticator(union, authorizer),
                Authorizer = authorizer,
                Admission = [new NodeRestriction(objects), new EscalationAdmission(feed, authorizer)],
                Paths = [new DiscoveryHandler(catalog), new OpenApiHandler(catalog, schemas, "v1.34.0"), new IssuerDiscovery(tokens), join],
                Virtuals =
                [
                    new TokenRequests(tokens, objects, time), new TokenReviews(tokens), new SelfSubjectReviews(time), new AccessReviews(authorizer), new RulesReviews(feed),
                ],
                Loads = [feed.LoadAsync],
                Loops = [feed.RunAsync, new AggregationLoop(store, TimeProvider.System, NullLogger<AggregationLoop>.Instance).RunAsync],
            });
        await host.StartAsync(default);
        var server = new SecureServer(directory, store, pki, tokens, host);
        using var admin = server.As("admin", UserInfo.Masters);
        await admin.PostAsync("/api/v1/namespaces", """{"metadata":{"name":"a"}}""");
        return server;
    }

    /// <summary>A client with a certificate of the cluster's authority.</summary>
    internal Caller As(string user, params string[] groups)
    {
        var credentials = Pki.IssueClient(user, groups);
        return With(X509Certificate2.CreateFromPem(credentials.CertificatePem, credentials.KeyPem));
    }

    internal Caller With(X509Certificate2? certificate, string? token = null) => new(Address, Pki.Authority, certificate, token);

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        await Store.DisposeAsync();
        Pki.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}

/// <summary>Someone who sends requests.</summary>
internal sealed class Caller : IDisposable
{
    private readonly HttpClient _http;
    private readonly X509Certificate2? _certificate;

    internal Caller(Uri address, X509Certificate2 authority, X509Certificate2? certificate, string? token)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, server, _, _) => server is X509Certificate2 given && IsFrom(authority, given);
        if (certificate is not null)
            handler.SslOptions.ClientCertificateContext = System.Net.Security.SslStreamCertificateContext.Create(certificate, null, offline: true);
        _certificate = certificate;
        _http = new HttpClient(handler) { BaseAddress = address, Timeout = Eventually.Deadline };
        if (token is not null)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    internal HttpClient Http => _http;

    internal Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, path, null, headers);

    internal Task<Answer> PostAsync(string path, string body, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Post, path, body, headers);

    internal Task<Answer> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path, null);

    internal async Task<Answer> SendAsync(HttpMethod method, string path, string? body, params (string Name, string Value)[] headers)
    {
        using var message = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
            message.Headers.TryAddWithoutValidation(name, value);
        if (body is not null)
            message.Content = new StringContent(body, Encoding.UTF8, method == HttpMethod.Patch ? "application/merge-patch+json" : "application/json");
        using var response = await _http.SendAsync(message);
        return new Answer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Content.Headers.ContentType?.MediaType ?? "", []);
    }

    private static bool IsFrom(X509Certificate2 authority, X509Certificate2 server)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(server);
    }

    public void Dispose()
    {
        _http.Dispose();
        _certificate?.Dispose();
    }
}
