using System.Text.Json.Nodes;
using Weft.Node.Network.Nftables;
using Weft.Node.Network.Policies;
using Weft.Node.Network.Services;
using Weft.Node.Tests.Network.Services;

namespace Weft.Node.Tests.Network.Nftables;

/// <summary>The kernel after the agent's own messages, beside the kernel after the nft program was given the same text.</summary>
public sealed class NftTransactionsTests
{
    private const string Base = """
        add table ip t
        add map ip t service_ips { type ipv4_addr . inet_proto . inet_service : verdict; }
        add map ip t host_ports { type inet_proto . inet_service : ipv4_addr . inet_service; }
        add map ip t tcp_endpoints { typeof ip daddr . tcp dport . numgen random mod 2 : ip daddr . tcp dport; }
        add map ip t udp_endpoints { typeof ip daddr . udp dport . numgen random mod 2 : ip daddr . udp dport; }
        add map ip t ingress { type ipv4_addr : verdict; }
        add set ip t hairpin { type ipv4_addr . ipv4_addr; }
        add chain ip t old
        add rule ip t old drop
        add chain ip t kept
        add rule ip t kept accept
        add set ip t unused { type ipv4_addr; }
        add element ip t service_ips { 10.96.0.9 . tcp . 9 : goto old }

        """;

    // Every kind of command and of rule that services and policies are made of.
    private const string Everything = """
        add set ip t clients { type ipv4_addr; flags dynamic, timeout; timeout 90s; }
        add set ip t pods_1 { type ipv4_addr; }
        add set ip t ports_1 { type ipv4_addr . inet_proto . inet_service; }
        add chain ip t a
        add chain ip t b
        delete element ip t service_ips { 10.96.0.9 . tcp . 9 }
        flush chain ip t kept
        add rule ip t kept meta mark set meta mark or 0x2000 goto a
        add rule ip t a meta l4proto tcp dnat ip to 10.1.0.2:8080
        add rule ip t a meta l4proto udp dnat ip to numgen inc mod 3 map { 0 : 10.1.0.2 . 53, 1 : 10.1.0.3 . 53, 2 : 10.1.0.4 . 53 }
        add rule ip t a meta l4proto tcp dnat ip to ip daddr . th dport . numgen random mod 3 map @tcp_endpoints
        add rule ip t a meta l4proto udp dnat ip to ip daddr . th dport . numgen random mod 1 map @udp_endpoints
        add rule ip t b ip saddr @clients goto a
        add rule ip t b update @clients { ip saddr }
        add rule ip t b numgen inc mod 2 vmap { 0 : goto a, 1 : goto a }
        add rule ip t b ip saddr 10.1.0.0/16 goto a
        add rule ip t b ip saddr 10.1.16.0/20 goto a
        add rule ip t b ip saddr != 10.0.0.0/9 drop
        add rule ip t b ip daddr 10.1.0.1/32 return
        add rule ip t b fib saddr type local meta mark set meta mark or 0x2000 goto a
        add rule ip t b ip saddr @pods_1 tcp dport 80 return
        add rule ip t b ip daddr @pods_1 udp dport 80-90 return
        add rule ip t b ip daddr . meta l4proto . th dport @ports_1 return
        add rule ip t b meta l4proto tcp return
        add rule ip t b drop
        add element ip t service_ips { 10.96.0.1 . tcp . 80 : goto b, 10.96.0.1 . udp . 53 : drop }
        add element ip t host_ports { tcp . 80 : 10.1.0.2 . 8080 }
        add element ip t tcp_endpoints { 10.96.0.1 . 80 . 0 : 10.1.0.2 . 8080, 10.96.0.1 . 80 . 258 : 10.1.0.3 . 8080 }
        add element ip t udp_endpoints { 10.96.0.1 . 53 . 0 : 10.1.0.2 . 53 }
        add element ip t hairpin { 10.1.0.2 . 10.1.0.2 }
        add element ip t pods_1 { 10.1.0.7, 10.1.0.8 }
        add element ip t ports_1 { 10.1.0.7 . tcp . 80 }
        add element ip t ingress { 10.1.0.7 : jump b }
        flush chain ip t old
        delete chain ip t old
        delete set ip t unused

        """;

    private static NftTransactions Open() => new(name => ServiceTable.TypeOf(name) ?? PolicyScript.TypeOf(name));

    [Fact]
    public async Task The_kernel_has_the_same_rules_as_by_way_of_nft()
    {
        await using var own = await NetworkNamespace.CreateAsync();
        await using var byProgram = await NetworkNamespace.CreateAsync();
        using var transactions = Open();
        await own.NftAsync(Base);
        await byProgram.NftAsync(Base);

        Assert.Null(await own.ApplyAsync(transactions, Everything));
        await byProgram.NftAsync(Everything);

        Assert.Equal(await RulesetAsync(byProgram), await RulesetAsync(own));
    }

    [Fact]
    public async Task What_the_kernel_refuses_leaves_nothing_behind_and_names_its_line()
    {
        await using var space = await NetworkNamespace.CreateAsync();
        using var transactions = Open();
        await space.NftAsync(Base);
        var before = await RulesetAsync(space);

        var refused = await Assert.ThrowsAsync<IOException>(() => space.ApplyAsync(transactions, Everything + "delete element ip t hairpin { 10.9.9.9 . 10.9.9.9 }\nadd chain ip t c\n"));
        Assert.Contains("`delete element ip t hairpin { 10.9.9.9 . 10.9.9.9 }`", refused.Message);
        Assert.Equal(before, await RulesetAsync(space));

        // Two chains that lead to each other: found when the transaction is checked as a whole.
        await space.NftAsync("add chain ip t start { type nat hook prerouting priority 0; }\nadd rule ip t start jump kept\n");
        before = await RulesetAsync(space);
        await Assert.ThrowsAsync<IOException>(() => space.ApplyAsync(transactions, "add rule ip t old jump kept\nflush chain ip t kept\nadd rule ip t kept jump old\n"));
        Assert.Equal(before, await RulesetAsync(space));

        Assert.Null(await space.ApplyAsync(transactions, Everything));
    }

    [Fact]
    public async Task A_command_that_is_not_known_is_nfts()
    {
        await using var space = await NetworkNamespace.CreateAsync();
        using var transactions = Open();
        await space.NftAsync(Base);
        const string Line = "add rule ip t kept ip saddr != { 10.0.0.0/8, 192.0.2.0/24 } drop";

        Assert.Equal(Line, await space.ApplyAsync(transactions, $"add chain ip t a\n{Line}\n"));
        var rules = await RulesetAsync(space);
        Assert.Contains("192.0.2.0", rules);
        await Assert.ThrowsAsync<IOException>(() => space.ApplyAsync(transactions, $"{Line}\nflush chain ip t nowhere\n"));
        Assert.Equal(rules, await RulesetAsync(space));
    }

    [Fact]
    public async Task A_long_list_of_elements_arrives_whole()
    {
        await using var space = await NetworkNamespace.CreateAsync();
        using var transactions = Open();
        await space.NftAsync(Base);
        var elements = string.Join(", ", Enumerable.Range(0, 5000).Select(i => $"10.2.{i / 250}.{i % 250} . 10.1.0.1"));

        Assert.Null(await space.ApplyAsync(transactions, $"add element ip t hairpin {{ {elements} }}\n"));
        Assert.Equal(5000, (await space.RunAsync("nft", ["list", "set", "ip", "t", "hairpin"])).Split("10.2.").Length - 1);
        Assert.Null(await space.ApplyAsync(transactions, $"delete element ip t hairpin {{ {elements} }}\n"));
        Assert.DoesNotContain("10.2.", await space.RunAsync("nft", ["list", "set", "ip", "t", "hairpin"]));
    }

    // Elements have no order, and handles are numbers in order of making.
    private static async Task<string> RulesetAsync(NetworkNamespace space)
    {
        var root = JsonNode.Parse(await space.RunAsync("nft", ["-j", "list", "ruleset"]))!;
        foreach (var entry in root["nftables"]!.AsArray())
        {
            foreach (var (_, value) in entry!.AsObject())
            {
                var one = value!.AsObject();
                one.Remove("handle");
                if (one["elem"] is JsonArray elements)
                    one["elem"] = new JsonArray([.. elements.Select(element => element!.ToJsonString()).Order(StringComparer.Ordinal).Select(text => JsonNode.Parse(text))]);
            }
        }
        return string.Join('\n', root["nftables"]!.AsArray().Select(entry => entry!.ToJsonString()).Order(StringComparer.Ordinal));
    }
}
