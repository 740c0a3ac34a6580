using Weft.Node.Network;
using Weft.Node.Network.Nftables;
using Weft.Node.Network.Services;
using static Weft.Node.Tests.Network.Services.ServiceWorld;

namespace Weft.Node.Tests.Network.Services;

/// <summary>Changes, with the real nft in a namespace of the test.</summary>
public sealed class NftLedgerTests
{
    private const string Table = "weft_lab";

    private static (string, string, NftObjects?) Wanted(string name, string? spec, string endpoints = "", string created = "2026-01-01T00:00:00Z")
    {
        var plan = spec is null ? null : ServicePlanner.Plan(Service(spec, name, """{"loadBalancer":{"ingress":[{"ip":"10.97.0.1"}]}}""", created), [Slice(endpoints)], Lab);
        return ($"default/{name}", plan?.Age ?? name, plan is null ? null : ServiceObjects.Of(plan, Lab, (_, _) => false));
    }

    [Fact]
    public void One_changed_endpoint_changes_elements_alone()
    {
        var ledger = new NftLedger(Table);
        const string Spec = """{"clusterIP":"10.96.0.5","ports":[{"port":80}]}""";
        ledger.Change([Wanted("web", Spec, "10.1.0.2 10.1.0.3"), Wanted("other", Spec.Replace(".0.5", ".0.6"), "10.1.0.2")]);

        Assert.Equal("""
            delete element ip weft_lab hairpin { 10.1.0.3 . 10.1.0.3 }
            delete element ip weft_lab tcp_endpoints { 10.96.0.5 . 80 . 1 }
            add element ip weft_lab hairpin { 10.1.0.4 . 10.1.0.4 }
            add element ip weft_lab tcp_endpoints { 10.96.0.5 . 80 . 1 : 10.1.0.4 . 8080 }
            """.ReplaceLineEndings("\n").Split('\n').Order(), ledger.Change([Wanted("web", Spec, "10.1.0.2 10.1.0.4")]).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
        Assert.Equal("", ledger.Change([Wanted("web", Spec, "10.1.0.2 10.1.0.4")]));
    }

    [Fact]
    public void A_chain_of_several_services_is_there_as_long_as_one_of_them_wants_it()
    {
        var ledger = new NftLedger(Table);
        const string Spec = """{"clusterIP":"10.96.0.5","ports":[{"port":80}]}""";
        Assert.Contains("add chain ip weft_lab p-tcp-1\n", ledger.Change([Wanted("web", Spec, "10.1.0.2"), Wanted("other", Spec.Replace(".0.5", ".0.6"), "10.1.0.2")]));
        Assert.DoesNotContain("p-tcp-1\n", ledger.Change([Wanted("web", null)]));

        // It changes hands within one transaction: neither made nor deleted.
        var script = ledger.Change([Wanted("other", null), Wanted("third", Spec.Replace(".0.5", ".0.7"), "10.1.0.3")]);
        Assert.DoesNotContain("chain", script);
        Assert.Contains("p-tcp-1", ledger.Names());

        Assert.EndsWith("flush chain ip weft_lab p-tcp-1\ndelete chain ip weft_lab p-tcp-1\n", ledger.Change([Wanted("third", null)]));
        Assert.Empty(ledger.Names());
    }

    [Fact]
    public void The_oldest_service_has_the_machines_port_and_the_next_inherits_it()
    {
        var ledger = new NftLedger(Table);
        const string Spec = """{"clusterIP":"10.96.0.5","type":"LoadBalancer","ports":[{"port":80}]}""";
        ledger.Change([Wanted("young", Spec, "10.1.0.2", "2026-02-01T00:00:00Z")]);

        Assert.Contains("own_ports", ledger.Change([Wanted("old", Spec.Replace(".0.5", ".0.6"), "10.1.0.3", "2026-01-01T00:00:00Z")]));
        Assert.Contains(ledger.Lost("default/young"), lost => lost.Element.Set == "own_ports" && lost.Holder == "default/old");
        Assert.DoesNotContain(ledger.Lost("default/old"), lost => lost.Element.Set == "own_ports");

        Assert.Contains("add element ip weft_lab own_ports { tcp . 80 : goto x-", ledger.Change([Wanted("old", null)]));
        Assert.Empty(ledger.Lost("default/young"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Step_by_step_the_kernel_comes_to_the_same_as_all_at_once(bool ownMessages)
    {
        await using var stepwise = await NetworkNamespace.CreateAsync();
        await using var whole = await NetworkNamespace.CreateAsync();
        using var transactions = new NftTransactions(ServiceTable.TypeOf);
        var ledger = new NftLedger(Table);
        await stepwise.NftAsync(NodeFirewall.Ruleset("lab", Lab.PodCidr, Lab.ClusterCidr) + ServiceTable.Whole(Lab, [], ledger));
        var random = Seed();
        for (var round = 0; round < 40; round++)
        {
            var changes = Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(12)).Distinct().Select(i => Wanted($"s{i}", random.Next(4) == 0 ? null : Spec(random, i), Endpoints(random), $"2026-01-{1 + i:00}T00:00:00Z"));
            var script = ledger.Change([.. changes]);
            if (script.Length > 0 && ownMessages)
                Assert.Null(await stepwise.ApplyAsync(transactions, script));
            else if (script.Length > 0)
                await stepwise.NftAsync(script);
        }

        await whole.NftAsync(NodeFirewall.Ruleset("lab", Lab.PodCidr, Lab.ClusterCidr) + ServiceTable.Whole(Lab, [], ledger));
        var expected = await ListAsync(whole);
        Assert.Equal(expected, await ListAsync(stepwise));

        // A new agent finds what is there, also what it does not want any more.
        var leftovers = new NftLedger(Table);
        leftovers.Change([Wanted("s1", Spec(random, 1), "10.1.0.2 10.1.0.3"), Wanted("s99", """{"clusterIP":"10.96.9.9","ports":[{"port":80}]}""", "10.1.0.2")]);
        await stepwise.NftAsync(ServiceTable.Whole(Lab, ServiceTable.Names(await stepwise.RunAsync("nft", ["-t", "list", "table", "ip", Table])), leftovers));
        await stepwise.NftAsync(ServiceTable.Whole(Lab, ServiceTable.Names(await stepwise.RunAsync("nft", ["-t", "list", "table", "ip", Table])), ledger));
        Assert.Equal(expected, await ListAsync(stepwise));
    }

    private static Random Seed() => new(1);

    private static string Spec(Random random, int i) => random.Next(4) switch
    {
        0 => $$"""{"clusterIP":"10.96.0.{{20 + i}}","ports":[{"port":80}]}""",
        1 => $$"""{"clusterIP":"10.96.0.{{20 + i}}","type":"NodePort","externalTrafficPolicy":"{{(random.Next(2) == 0 ? "Local" : "Cluster")}}","ports":[{"port":80,"nodePort":{{30000 + i}} }]}""",
        2 => $$"""{"clusterIP":"10.96.0.{{20 + i}}","internalTrafficPolicy":"{{(random.Next(2) == 0 ? "Local" : "Cluster")}}","sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":{{random.Next(10, 12)}} } },"ports":[{"port":80}]}""",
        _ => $$"""{"clusterIP":"10.96.0.{{20 + i}}","type":"LoadBalancer","loadBalancerSourceRanges":["10.0.0.0/8"],"externalIPs":["198.51.100.{{i}}"],"ports":[{"port":80,"nodePort":{{30000 + i}} }]}""",
    };

    private static string Endpoints(Random random) =>
        string.Join(' ', Enumerable.Range(0, random.Next(5)).Select(_ => $"10.1.{random.Next(2)}.{random.Next(2, 9)}").Select(address => address + (address.StartsWith("10.1.1.", StringComparison.Ordinal) ? "@n2" : "")));

    // Order of chains and elements is that of their making: words are compared, not their places.
    private static async Task<string> ListAsync(NetworkNamespace space) =>
        string.Join('\n', (await space.RunAsync("nft", ["list", "table", "ip", Table])).Split([' ', '\n', '\t', ','], StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
}
