using Microsoft.AspNetCore.Http;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Dns.Wire;
using Weft.Proxy.Tests.Support;
using Weft.Testing;

namespace Weft.Proxy.Tests.Forwarding;

/// <summary>Endpoints by SRV records of a DNS server of the cluster's own.</summary>
public sealed class DiscoveryTests
{
    [Fact]
    public async Task Requests_follow_the_records_and_stay_with_the_last_ones_when_the_server_is_away()
    {
        using var names = new NameServer();
        await using var one = await ProxyFixture.ServerAsync(context => context.Response.WriteAsync("one"));
        await using var two = await ProxyFixture.ServerAsync(context => context.Response.WriteAsync("two"));
        int Port(Microsoft.AspNetCore.Builder.WebApplication server) => new Uri(server.Urls.Single()).Port;
        names.Addresses("here.example", 1, "127.0.0.1");
        names.Services("_http._tcp.shop.example", 1, (1, 5, Port(one), "here.example"), (2, 5, Port(two), "here.example"));
        await using var proxy = await ProxyFixture.StartAsync(
            new ClusterConfig { Name = "shop", Dns = new DnsDiscovery("_http._tcp.shop.example") { Srv = true, Servers = [names.Address], Refresh = TimeSpan.FromMilliseconds(100) } });

        // The lower priority number is preferred.
        for (var i = 0; i < 10; i++)
            Assert.Equal("one", await proxy.Client.GetStringAsync(proxy.Url(), TestContext.Current.CancellationToken));

        names.Services("_http._tcp.shop.example", 1, (1, 5, Port(two), "here.example"));
        await Eventually.TrueAsync(() => proxy.Metrics().Contains($"endpoint=\"127.0.0.1:{Port(two)}\"", StringComparison.Ordinal) && !proxy.Metrics().Contains($"endpoint=\"127.0.0.1:{Port(one)}\"", StringComparison.Ordinal));
        Assert.Equal("two", await proxy.Client.GetStringAsync(proxy.Url(), TestContext.Current.CancellationToken));

        names.Failing = Rcode.ServFail;
        var asked = names.Asked.Count;
        await Eventually.TrueAsync(() => names.Asked.Count > asked + 4);
        Assert.Equal("two", await proxy.Client.GetStringAsync(proxy.Url(), TestContext.Current.CancellationToken));

        names.Failing = Rcode.NoError;
        names.Services("_http._tcp.shop.example", 1, (1, 5, Port(one), "here.example"));
        await Eventually.TrueAsync(() => proxy.Metrics().Contains($"endpoint=\"127.0.0.1:{Port(one)}\"", StringComparison.Ordinal));
        Assert.Equal("one", await proxy.Client.GetStringAsync(proxy.Url(), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Another_refresh_or_another_server_for_the_same_name_keeps_the_endpoints_until_there_is_an_answer()
    {
        using var names = new NameServer();
        using var other = new NameServer();
        var cancel = TestContext.Current.CancellationToken;
        await using var one = await ProxyFixture.ServerAsync(context => context.Response.WriteAsync("one"));
        names.Addresses("shop.example", 60, "127.0.0.1");
        var dns = new DnsDiscovery("shop.example", new Uri(one.Urls.Single()).Port) { Servers = [names.Address], Refresh = TimeSpan.FromMilliseconds(100) };
        var routes = new[] { ProxyFixture.Everything(new ForwardAction { Clusters = [new WeightedCluster { Cluster = "shop" }] }) };
        await using var proxy = await ProxyFixture.StartAsync(new ClusterConfig { Name = "shop", Dns = dns });
        Assert.Equal("one", await proxy.Client.GetStringAsync(proxy.Url(), cancel));

        names.Failing = other.Failing = Rcode.ServFail;
        foreach (var changed in new[] { dns with { Refresh = TimeSpan.FromMilliseconds(200) }, dns with { Servers = [other.Address] } })
        {
            await proxy.ApplyAsync([.. routes], new ClusterConfig { Name = "shop", Dns = changed });
            Assert.Equal("one", await proxy.Client.GetStringAsync(proxy.Url(), cancel));
        }

        // What the new server says holds as soon as it says something, and what another name stood for is gone at once.
        other.Addresses("shop.example", 60, "127.0.0.2");
        other.Failing = Rcode.NoError;
        await Eventually.TrueAsync(() => Has("127.0.0.2") && !Has("127.0.0.1"));
        other.Failing = Rcode.ServFail;
        await proxy.ApplyAsync([.. routes], new ClusterConfig { Name = "shop", Dns = dns with { Name = "else.example", Servers = [other.Address] } });
        Assert.False(Has("127.0.0.2"));

        bool Has(string address) => proxy.Metrics().Contains($"endpoint=\"{address}:", StringComparison.Ordinal);
    }
}
