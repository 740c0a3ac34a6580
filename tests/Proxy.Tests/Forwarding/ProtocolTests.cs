using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Tls;
using Weft.Testing;

namespace Weft.Proxy.Tests.Forwarding;

/// <summary>The engine between protocols: TLS and HTTP/2 on either side, plain connections.</summary>
public sealed class ProtocolTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    [Theory]
    [InlineData("1.1", HttpProtocols.Http1, UpstreamProtocol.Http1)]
    [InlineData("1.1", HttpProtocols.Http2, UpstreamProtocol.Http2)]
    [InlineData("2.0", HttpProtocols.Http1, UpstreamProtocol.Http1)]
    [InlineData("2.0", HttpProtocols.Http2, UpstreamProtocol.Http2)]
    public async Task Tls_is_ended_here_and_spoken_to_the_endpoint(string version, HttpProtocols protocols, UpstreamProtocol protocol)
    {
        await using var server = await TlsServerAsync(protocols);
        var cluster = ProxyFixture.Cluster("web", server) with { Protocol = protocol, Tls = new UpstreamTls { ServerName = "a.example", Authorities = Pem(_authority) } };
        await using var proxy = await ProxyFixture.StartAsync(TlsConfig(cluster));
        using var client = Client(proxy);
        using var request = new HttpRequestMessage(HttpMethod.Post, "https://a.example/echo") { Version = new Version(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new StringContent(new string('x', 100_000)) };

        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(100_000, (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Length);
        Assert.Equal($"https HTTP/{(protocols == HttpProtocols.Http2 ? "2" : "1.1")}", response.Headers.GetValues("x-seen").Single());
        if (version == "2.0" && protocols == HttpProtocols.Http2)
            Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
    }

    [Fact]
    public async Task An_endpoint_that_its_authority_does_not_vouch_for_is_not_spoken_to()
    {
        using var stranger = new TestAuthority("Stranger");
        await using var server = await TlsServerAsync(HttpProtocols.Http1);
        var cluster = ProxyFixture.Cluster("web", server) with { Tls = new UpstreamTls { ServerName = "a.example", Authorities = Pem(stranger) } };
        await using var proxy = await ProxyFixture.StartAsync(TlsConfig(cluster));
        using var client = Client(proxy);

        using var response = await client.GetAsync(new Uri("https://a.example/"), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        await Eventually.TrueAsync(() => proxy.Records().Contains("\"response_flags\":\"UF,URX\"", StringComparison.Ordinal), state: proxy.Records);
    }

    /// <summary>The certificate has an identity and no name: who must answer stands with the endpoint.</summary>
    [Theory]
    [InlineData("spiffe://weft.test/ns/shop/sa/web", HttpStatusCode.OK)]
    [InlineData("spiffe://weft.test/ns/shop/sa/other", HttpStatusCode.ServiceUnavailable)]
    [InlineData(null, HttpStatusCode.ServiceUnavailable)]
    public async Task An_endpoint_is_known_by_its_identity(string? identity, HttpStatusCode status)
    {
        await using var server = await TlsServerAsync(HttpProtocols.Http1, Wanted.Workload("spiffe://weft.test/ns/shop/sa/web"));
        var cluster = ProxyFixture.Cluster("web", server) with { Tls = new UpstreamTls { Authorities = Pem(_authority) } };
        await using var proxy = await ProxyFixture.StartAsync(TlsConfig(cluster with { Endpoints = [cluster.Endpoints[0] with { Identity = identity }] }));
        using var client = Client(proxy);
        using var response = await client.GetAsync(new Uri("https://a.example/"), TestContext.Current.CancellationToken);
        Assert.Equal(status, response.StatusCode);
    }

    [Fact]
    public async Task A_connection_that_an_endpoint_refuses_goes_to_another_one_and_not_to_all_of_them()
    {
        using var echo = new TcpListener(IPAddress.Loopback, 0);
        echo.Start();
        var refusing = Enumerable.Range(0, 4).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)).ToList();
        refusing.ForEach(socket => socket.Bind(new IPEndPoint(IPAddress.Loopback, 0))); // and does not listen
        var ports = refusing.Select(socket => ((IPEndPoint)socket.LocalEndPoint!).Port).ToList();
        ProxyConfig Of(IEnumerable<int> some) => new()
        {
            Listeners = [new ListenerConfig { Name = "main", Address = "127.0.0.1", Kind = ListenerKind.Tcp, DefaultCluster = "echo" }],
            Clusters =
            [
                new ClusterConfig { Name = "echo", LoadBalancer = new RoundRobinBalancer(), Endpoints = [.. some.Select(port => new EndpointConfig { Address = "127.0.0.1", Port = port })] },
            ],
        };
        await using var proxy = await ProxyFixture.StartAsync(Of([.. ports.Take(2), ((IPEndPoint)echo.LocalEndpoint).Port]));
        for (var i = 0; i < 6; i++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(proxy.Address, TestContext.Current.CancellationToken);
            await client.GetStream().WriteAsync("x"u8.ToArray(), TestContext.Current.CancellationToken);
            using var accepted = await Eventually.EndsAsync(echo.AcceptTcpClientAsync(TestContext.Current.CancellationToken).AsTask());
            Assert.Equal(1, await Eventually.EndsAsync(accepted.GetStream().ReadAsync(new byte[10], TestContext.Current.CancellationToken).AsTask()));
        }

        // Nobody is there: the client hears of it after three.
        await proxy.Engine.ApplyAsync(Of(ports));
        using (var client = new TcpClient())
        {
            try
            {
                await client.ConnectAsync(proxy.Address, TestContext.Current.CancellationToken);
                Assert.Equal(0, await Eventually.EndsAsync(client.GetStream().ReadAsync(new byte[10], TestContext.Current.CancellationToken).AsTask()));
            }
            catch (Exception reset) when (reset is IOException or SocketException)
            {
                // Before the client has looked, maybe.
            }
        }

        Assert.All(ports, port => Assert.Contains($"weft_proxy_endpoint_requests_in_flight{{cluster=\"echo\",endpoint=\"127.0.0.1:{port}\"}} 0", proxy.Metrics(), StringComparison.Ordinal));
        refusing.ForEach(socket => socket.Dispose());
    }

    /// <summary>A client is not told at once, but nobody is sent for long to an endpoint that takes no connections.</summary>
    [Fact]
    public async Task An_endpoint_that_takes_no_connections_is_taken_out_of_a_tcp_cluster()
    {
        using var echo = new TcpListener(IPAddress.Loopback, 0);
        echo.Start();
        using var refusing = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        refusing.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // and does not listen
        int[] ports = [((IPEndPoint)refusing.LocalEndPoint!).Port, ((IPEndPoint)echo.LocalEndpoint).Port];
        await using var proxy = await ProxyFixture.StartAsync(new ProxyConfig
        {
            Listeners = [new ListenerConfig { Name = "main", Address = "127.0.0.1", Kind = ListenerKind.Tcp, DefaultCluster = "echo" }],
            Clusters =
            [
                new ClusterConfig
                {
                    Name = "echo",
                    LoadBalancer = new RoundRobinBalancer(),
                    Endpoints = [.. ports.Select(port => new EndpointConfig { Address = "127.0.0.1", Port = port })],
                    Outliers = new Weft.Balancing.Health.OutlierSettings { MaxEjectionPercent = 50, ConsecutiveLocalErrors = 3 },
                },
            ],
        });
        await Eventually.TrueAsync(() =>
        {
            using var client = new TcpClient();
            client.Connect(proxy.Address);
            return proxy.Metrics().Contains($"endpoint=\"127.0.0.1:{ports[0]}\",ejection=\"ConsecutiveLocalErrors\"", StringComparison.Ordinal);
        }, state: proxy.Metrics);
        Assert.Contains($"endpoint=\"127.0.0.1:{ports[1]}\",ejection=\"None\"", proxy.Metrics(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tcp_listener_passes_bytes_and_ends_both_ways()
    {
        using var echo = new TcpListener(IPAddress.Loopback, 0);
        echo.Start();
        var serving = ServeAsync();
        var port = ((IPEndPoint)echo.LocalEndpoint).Port;
        var config = new ProxyConfig
        {
            Listeners = [new ListenerConfig { Name = "main", Address = "127.0.0.1", Kind = ListenerKind.Tcp, DefaultCluster = "echo" }],
            Clusters = [new ClusterConfig { Name = "echo", Endpoints = [new EndpointConfig { Address = "127.0.0.1", Port = port }] }],
        };
        await using var proxy = await ProxyFixture.StartAsync(config);
        using var client = new TcpClient();
        await client.ConnectAsync(proxy.Address, TestContext.Current.CancellationToken);
        var data = RandomNumberGenerator.GetBytes(5_000_000);
        var sending = Task.Run(async () =>
        {
            await client.GetStream().WriteAsync(data);
            client.Client.Shutdown(SocketShutdown.Send);
        }, TestContext.Current.CancellationToken);
        using var all = new MemoryStream();
        await client.GetStream().CopyToAsync(all, TestContext.Current.CancellationToken);

        await sending;
        Assert.Equal(data, all.ToArray());
        await serving;

        async Task ServeAsync()
        {
            using var accepted = await echo.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
            await accepted.GetStream().CopyToAsync(accepted.GetStream(), TestContext.Current.CancellationToken);
            accepted.Client.Shutdown(SocketShutdown.Send);
        }
    }

    public void Dispose() => _authority.Dispose();

    /// <summary>Kestrel refuses a request whose scheme is not its connection's; what the client spoke is in x-forwarded-proto.</summary>
    [Fact]
    public async Task Over_http2_the_scheme_is_that_of_the_connection_to_the_endpoint()
    {
        var (cluster, server) = await ProxyFixture.ServeAsync("web", context => context.Response.WriteAsync($"{context.Request.Scheme} {context.Request.Headers["x-forwarded-proto"]}"), HttpProtocols.Http2);
        await using var own = server;
        await using var proxy = await ProxyFixture.StartAsync(TlsConfig(cluster with { Protocol = UpstreamProtocol.Http2 }));
        using var client = Client(proxy);
        Assert.Equal("http https", await client.GetStringAsync(new Uri("https://a.example/"), TestContext.Current.CancellationToken));
    }

    private ProxyConfig TlsConfig(ClusterConfig cluster)
    {
        using var certificate = _authority.IssueForDotNet();
        var config = ProxyFixture.Config([ProxyFixture.Everything(new ForwardAction { Clusters = [new() { Cluster = "web" }] })], cluster);
        return config with
        {
            Listeners = [config.Listeners[0] with { Tls = new ListenerTls { Certificates = ["site"] } }],
            Certificates =
            [
                new CertificateConfig
                {
                    Name = "site",
                    Chain = new DataSource { Inline = certificate.ExportCertificatePem() },
                    Key = new DataSource { Inline = certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() },
                },
            ],
        };
    }

    private static DataSource Pem(TestAuthority authority) => new() { Inline = Encoding.ASCII.GetString(authority.Pem) };

    /// <summary>Trusts the authority alone, and reaches every name at the proxy.</summary>
    private HttpClient Client(ProxyFixture proxy)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPem(Encoding.ASCII.GetString(_authority.Pem));
        return new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(proxy.Address, token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
    }

    private async Task<WebApplication> TlsServerAsync(HttpProtocols protocols, Wanted? wanted = null)
    {
        var certificate = _authority.IssueForDotNet(wanted);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = protocols;
            listen.UseHttps(certificate);
        }));
        var app = builder.Build();
        app.Run(async context =>
        {
            context.Response.Headers["x-seen"] = $"{context.Request.Scheme} {context.Request.Protocol}";
            if (context.Response.SupportsTrailers())
                context.Response.DeclareTrailer("grpc-status");
            await context.Request.Body.CopyToAsync(context.Response.Body);
            if (context.Response.SupportsTrailers())
                context.Response.AppendTrailer("grpc-status", "0");
        });
        await app.StartAsync();
        return app;
    }
}
