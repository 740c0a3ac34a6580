using System.Net;
using System.Security.Authentication;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Tls;

namespace Weft.Proxy.Tests.Hostile;

/// <summary>TLS towards endpoints, and TLS that is only passed on, as a configuration says it.</summary>
public sealed class EndpointTlsTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    [Theory]
    [InlineData("its name", true)]
    [InlineData("the endpoint's host name", true)]
    [InlineData("another name", false)]
    [InlineData("no name", false)] // its address, which is not in the certificate
    [InlineData("an identity", true)]
    [InlineData("another identity", false)]
    [InlineData("another authority", false)]
    [InlineData("another authority, not looked at", true)]
    [InlineData("expired", false)]
    [InlineData("for clients", false)]
    [InlineData("an older version", false)]
    public async Task An_endpoint_shows_what_it_must_and_sees_who_asks(string what, bool served)
    {
        using var stranger = new TestAuthority("Stranger");
        var wanted = new Wanted { Uris = ["spiffe://mesh.example/ns/shop/sa/api"] };
        wanted = what switch
        {
            "expired" => wanted with { NotAfter = TestAuthority.NotBefore.AddDays(1) },
            "for clients" => wanted with { Usages = [Wanted.ClientUsage] },
            _ => wanted,
        };
        await using var endpoint = new TlsEndpoint("api", _authority.IssueForDotNet(wanted), asksClients: true, what == "an older version" ? SslProtocols.Tls12 : SslProtocols.None);
        var tls = new UpstreamTls
        {
            Authorities = TlsBed.Pem(what.StartsWith("another authority", StringComparison.Ordinal) ? stranger : _authority),
            ServerName = what switch { "another name" => "b.example", "the endpoint's host name" or "no name" => null, _ => "a.example" },
            Names = what switch
            {
                "an identity" => [StringMatch.Exact("spiffe://mesh.example/ns/shop/sa/api")],
                "another identity" => [StringMatch.Exact("spiffe://mesh.example/ns/shop/sa/other")],
                _ => [],
            },
            SkipVerification = what == "another authority, not looked at",
            Certificate = "own",
            MinVersion = what == "an older version" ? TlsVersion.Tls13 : TlsVersion.Tls12,
        };
        var cluster = HostileBed.Cluster(endpoint.Address) with { Tls = tls };
        if (what == "the endpoint's host name")
            cluster = cluster with { Endpoints = [cluster.Endpoints[0] with { HostName = "a.example" }] };
        await using var bed = await HostileBed.StartAsync(HostileBed.Config(cluster) with { Certificates = [TlsBed.Certificate("own", _authority.Issue(Wanted.Workload(TlsBed.Identity)))] });
        using var client = bed.Client(HttpVersion.Version11);

        using var response = await client.GetAsync("/");

        Assert.Equal(served ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(served ? 1 : 0, endpoint.Requests);
        if (!served)
            return;
        Assert.Equal("api", await response.Content.ReadAsStringAsync());
        Assert.Contains(endpoint.Seen, seen => seen.ServerName == "a.example" && seen.Client.StartsWith(TlsBed.Identity, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("one.example", "one")]
    [InlineData("ONE.example", "one")]
    [InlineData("x.two.example", "two")]
    [InlineData("x.y.two.example", "two")]
    [InlineData("two.example", null)]
    [InlineData("other.example", null)]
    [InlineData("127.0.0.1", null)] // no server name at all
    public async Task TLS_that_is_passed_on_goes_where_its_name_says(string name, string? expected)
    {
        await using var one = new TlsEndpoint("one", _authority.IssueForDotNet(new Wanted { Dns = ["one.example"] }));
        await using var two = new TlsEndpoint("two", _authority.IssueForDotNet(new Wanted { Dns = ["*.two.example"] }));
        await using var bed = await HostileBed.StartAsync(new ProxyConfig
        {
            Listeners =
            [
                new ListenerConfig
                {
                    Name = "main", Address = "127.0.0.1", Kind = ListenerKind.TlsPassthrough,
                    ConnectionRoutes =
                    [
                        new ConnectionRoute { ServerNames = ["one.example"], Clusters = [new WeightedCluster { Cluster = "one" }] },
                        new ConnectionRoute { ServerNames = ["*.two.example"], Clusters = [new WeightedCluster { Cluster = "two" }] },
                    ],
                },
            ],
            Clusters = [HostileBed.Cluster(one.Address) with { Name = "one" }, HostileBed.Cluster(two.Address) with { Name = "two" }],
        });
        if (expected is null)
        {
            Assert.True(await TlsBed.IsRefusedAsync(bed.Address, name));
            Assert.Empty(one.Seen.Concat(two.Seen));
            return;
        }

        await using var tls = await TlsBed.ConnectAsync(bed.Address, name);
        await tls.WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        var buffer = new byte[1000];
        var got = await tls.ReadAtLeastAsync(buffer, 41);
        Assert.EndsWith(expected, System.Text.Encoding.ASCII.GetString(buffer, 0, got));
        Assert.Equal(expected == "one" ? ["one.example"] : ["*.two.example"], TlsBed.Names(tls)); // ended there, not here
    }

    public void Dispose() => _authority.Dispose();
}
