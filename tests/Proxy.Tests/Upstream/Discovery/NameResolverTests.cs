using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Resolution;
using Weft.Proxy.Dns.Wire;
using Weft.Proxy.Tests.Support;
using Weft.Proxy.Upstream.Discovery;
using Weft.Testing;

namespace Weft.Proxy.Tests.Upstream.Discovery;

public sealed class NameResolverTests : IDisposable
{
    private const string Name = "_http._tcp.shop.example";
    private readonly NameServer _server = new();

    public void Dispose() => _server.Dispose();

    [Fact]
    public async Task Priorities_become_levels_weights_are_shared_by_addresses_and_targets_are_host_names()
    {
        _server.Services(Name, 60, (20, 10, 81, "far.example"), (10, 100, 80, "near.example"), (10, 0, 8080, "spare.example"), (5, 1, 80, "."));
        _server.Addresses("near.example", 90, "10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2");
        _server.Addresses("far.example", 40, "10.1.0.1");
        _server.Addresses("spare.example", 90, "10.0.0.9");

        var found = await Resolver().ResolveAsync(TestContext.Current.CancellationToken);

        Assert.Equal(
            ["10.0.0.1:80 0 25 near.example", "10.0.0.2:80 0 25 near.example", "10.0.0.9:8080 0 1 spare.example", "10.1.0.1:81 1 10 far.example", "fd00::1:80 0 25 near.example", "fd00::2:80 0 25 near.example"],
            found.Endpoints.Select(e => $"{e.Address}:{e.Port} {e.Priority} {e.Weight} {e.HostName}").Order(StringComparer.Ordinal));
        // The address that changes first says when all is looked at again.
        Assert.Equal(TimeSpan.FromSeconds(40), found.Life);
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(1, 1)]
    [InlineData(30, 30)]
    [InlineData(86_400, 300)]
    public async Task An_answer_is_good_as_long_as_it_says_within_bounds(uint ttl, int seconds)
    {
        _server.Addresses("shop.example", ttl, "10.0.0.1");
        var found = await Resolver("shop.example", srv: false).ResolveAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["10.0.0.1:8080"], found.Endpoints.Select(e => $"{e.Address}:{e.Port}"));
        Assert.Equal(TimeSpan.FromSeconds(seconds), found.Life);
    }

    [Fact]
    public async Task A_target_that_is_not_resolved_for_a_moment_keeps_its_addresses_and_one_that_has_none_goes()
    {
        _server.Services(Name, 60, (0, 1, 80, "a.example"), (0, 1, 80, "b.example"));
        _server.Addresses("a.example", 60, "10.0.0.1");
        _server.Addresses("b.example", 60, "10.0.0.2");
        var time = new ManualTime();
        var resolver = Resolver(time: time);
        await resolver.ResolveAsync(TestContext.Current.CancellationToken);

        _server.Silent["a.example"] = true;
        _server.Addresses("b.example", 60);
        var again = resolver.ResolveAsync(TestContext.Current.CancellationToken);
        var found = await PassAsync(time, again);
        Assert.Equal("10.0.0.1", Assert.Single(found.Endpoints).Address);
        Assert.Equal(TimeSpan.FromSeconds(5), found.Life);
    }

    /// <summary>With several servers the tries at one question took longer than who asks is ready to wait, and with it went what the others had answered.</summary>
    [Fact]
    public async Task A_type_that_no_server_answers_does_not_spoil_the_other()
    {
        using var other = new NameServer();
        foreach (var server in new[] { _server, other })
        {
            server.Addresses("shop.example", 60, "10.0.0.1");
            server.Silent[$"shop.example {RecordType.AAAA}"] = true;
        }

        var time = new ManualTime();
        using var patience = new CancellationTokenSource(Asker, time);
        var resolver = new NameResolver(new DnsDiscovery("shop.example", 80) { Servers = [_server.Address, other.Address] }, time);
        var found = await PassAsync(time, resolver.ResolveAsync(patience.Token));
        Assert.Equal("10.0.0.1", Assert.Single(found.Endpoints).Address);
        Assert.Equal(TimeSpan.FromSeconds(60), found.Life);
    }

    [Fact]
    public async Task A_target_that_no_server_answers_for_does_not_spoil_the_others()
    {
        using var other = new NameServer();
        foreach (var server in new[] { _server, other })
        {
            server.Services(Name, 60, (0, 1, 80, "a.example"), (0, 1, 80, "b.example"));
            server.Addresses("b.example", 60, "10.0.0.2");
            server.Silent["a.example"] = true;
        }

        var time = new ManualTime();
        using var patience = new CancellationTokenSource(Asker, time);
        var resolver = new NameResolver(new DnsDiscovery(Name) { Srv = true, Servers = [_server.Address, other.Address] }, time);
        Assert.Equal("10.0.0.2", Assert.Single((await PassAsync(time, resolver.ResolveAsync(patience.Token))).Endpoints).Address);
    }

    [Fact]
    public async Task Servers_that_do_not_answer_at_all_are_given_up_before_the_one_who_asks_gives_up()
    {
        _server.Failing = null;
        var time = new ManualTime();
        using var patience = new CancellationTokenSource(Asker, time);
        await Assert.ThrowsAsync<NotResolvedException>(() => PassAsync(time, Resolver(time: time).ResolveAsync(patience.Token)));
    }

    [Theory]
    [InlineData(Rcode.ServFail)]
    [InlineData(Rcode.Refused)]
    public async Task A_server_in_trouble_is_no_answer_and_another_one_is_asked(byte code)
    {
        using var other = new NameServer();
        other.Addresses("shop.example", 60, "10.0.0.1");
        _server.Failing = code;
        await Assert.ThrowsAsync<NotResolvedException>(() => Resolver("shop.example", srv: false).ResolveAsync(TestContext.Current.CancellationToken));

        var resolver = new NameResolver(new DnsDiscovery("shop.example", 80) { Servers = [_server.Address, other.Address] }, TimeProvider.System);
        Assert.Equal("10.0.0.1", Assert.Single((await resolver.ResolveAsync(TestContext.Current.CancellationToken)).Endpoints).Address);
        // From then on the one that answers is asked first.
        var asked = _server.Asked.Count;
        await resolver.ResolveAsync(TestContext.Current.CancellationToken);
        Assert.Equal(asked, _server.Asked.Count);
    }

    /// <summary>That there is no such name is an answer: who has left is gone.</summary>
    [Fact]
    public async Task A_name_that_is_not_there_has_no_endpoints()
    {
        _server.Failing = Rcode.NxDomain;
        Assert.Empty((await Resolver().ResolveAsync(TestContext.Current.CancellationToken)).Endpoints);
        Assert.Empty((await Resolver("shop.example", srv: false).ResolveAsync(TestContext.Current.CancellationToken)).Endpoints);
    }

    // Of ClusterDriver.
    private static readonly TimeSpan Asker = TimeSpan.FromSeconds(5);

    // Time passes until the patience with a silent one is over, slowly enough for the answers of the others.
    private static async Task<FoundEndpoints> PassAsync(ManualTime time, Task<FoundEndpoints> resolving)
    {
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            return resolving.IsCompleted;
        });
        return await resolving;
    }

    private NameResolver Resolver(string name = Name, bool srv = true, TimeProvider? time = null) => new(new DnsDiscovery(name, 8080) { Srv = srv, Servers = [_server.Address] }, time ?? TimeProvider.System);
}
