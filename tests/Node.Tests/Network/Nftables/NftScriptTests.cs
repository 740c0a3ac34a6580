using Weft.Node.Network.Nftables;
using Weft.Node.Network.Policies;
using Weft.Node.Network.Services;

namespace Weft.Node.Tests.Network.Nftables;

/// <summary>Bytes of messages, whose sources are the kernel's headers and what `nft --debug=mnl` prints of the same command.</summary>
public sealed class NftScriptTests
{
    // Begin (NFNL_MSG_BATCH_BEGIN, resource NFNL_SUBSYS_NFTABLES) and end; the number of the end's header is that after the last message.
    private const string Begin = "14000000 1000 0100 00000000 00000000 0000 000a", End = "14000000 1100 0100 02000000 00000000 0000 000a";

    private static NftSetType? TypeOf(string name) => ServiceTable.TypeOf(name) ?? PolicyScript.TypeOf(name);

    private static void Golden(string script, string message) =>
        Assert.Equal((Begin + message + End).ReplaceLineEndings("").Replace(" ", ""), Convert.ToHexStringLower(NftScript.TryRead(script, TypeOf, out _)!.Seal()));

    [Fact]
    public void An_element_that_leads_to_a_chain() => Golden("add element ip t service_ips { 10.96.0.1 . tcp . 80 : goto x }", """
        60000000 0c0a 0504 01000000 00000000 02000000
        0600 0100 74000000  1000 0200 736572766963655f69707300
        3400 0380  3000 0180
          1400 0180 1000 0100 0a600001 06000000 00500000
          1800 0280 1400 0280 0800 0100 fffffffc 0600 0200 78000000
        """);

    [Fact]
    public void An_element_goes_by_its_key() => Golden("delete element ip t ingress { 10.1.0.9 : jump in_1 }", """
        3c000000 0e0a 0500 01000000 00000000 02000000
        0600 0100 74000000  0c00 0200 696e677265737300
        1400 0380  1000 0180  0c00 0180 0800 0100 0a010009
        """);

    [Fact]
    public void The_number_of_an_endpoint_is_in_the_machines_order() => Golden("add element ip t udp_endpoints { 10.96.0.1 . 53 . 3 : 10.1.1.1 . 5353 }", """
        5c000000 0c0a 0504 01000000 00000000 02000000
        0600 0100 74000000  1200 0200 7564705f656e64706f696e7473000000
        2c00 0380  2800 0180
          1400 0180 1000 0100 0a600001 00350000 03000000
          1000 0280 0c00 0100 0a010101 14e90000
        """);

    [Fact]
    public void A_chain_is_made() => Golden("add chain ip t x", "24000000 030a 0504 01000000 00000000 02000000 0600 0100 74000000 0600 0300 78000000");

    [Fact]
    public void A_rule_of_a_verdict() => Golden("add rule ip t c goto x", """
        60000000 060a 050c 01000000 00000000 02000000
        0600 0100 74000000  0600 0200 63000000
        3c00 0480  3800 0180
          0e00 0100 696d6d65646961746500 0000
          2400 0280 0800 0100 00000000
            1800 0280 1400 0280 0800 0100 fffffffc 0600 0200 78000000
        """);

    [Theory]
    [InlineData("add table ip t")]
    [InlineData("add chain ip t c { type nat hook output priority 0; }")]
    [InlineData("add set ip t s { type ether_addr; }")]
    [InlineData("add set ip t s { type ipv4_addr; flags interval; }")]
    [InlineData("add element ip t strangers { 10.1.0.1 }")]
    [InlineData("add element ip t hairpin { 10.1.0.1 }")]
    [InlineData("add element ip t hairpin { 10.1.0.1 . 10.1.0.1")]
    [InlineData("add element ip t service_ips { 10.96.0.1 . sctp . 80 : goto x }")]
    [InlineData("add element ip t service_ips { 10.96.0.1 . tcp . 80000 : goto x }")]
    [InlineData("add rule ip t c ip saddr != { 10.0.0.0/8, 11.0.0.0/8 } drop")]
    [InlineData("add rule ip t c ip saddr 0.0.0.0/0 drop")]
    [InlineData("add rule ip t c tcp dport { 80, 81 } drop")]
    [InlineData("add rule ip t c meta mark set 5")]
    [InlineData("add rule ip t c goto x counter")]
    [InlineData("add rule ip6 t c drop")]
    [InlineData("flush chain ip t c now")]
    public void What_is_not_known_is_not_guessed(string line)
    {
        Assert.Null(NftScript.TryRead($"add chain ip t x\n{line}\n", TypeOf, out var unknown));
        Assert.Equal(line, unknown);
    }

    [Fact]
    public void A_message_knows_its_line()
    {
        const string Inline = "add rule ip t c meta l4proto tcp dnat ip to numgen inc mod 1 map { 0 : 10.1.0.2 . 80 }";
        var script = NftScript.TryRead($"add chain ip t c\n{Inline}\ndelete set ip t s\n", TypeOf, out _)!;

        Assert.Equal(["add chain ip t c", Inline, Inline, Inline, "delete set ip t s"], Enumerable.Range(1, 5).Select(i => script.LineOf((uint)i)));
        Assert.Equal(5u, script.LastSequence);
        Assert.Equal("the transaction as a whole", script.LineOf(0));
    }

    [Fact]
    public void Many_elements_take_several_messages()
    {
        var script = NftScript.TryRead($"add element ip t hairpin {{ {string.Join(", ", Enumerable.Range(0, 5000).Select(i => $"10.1.{i / 250}.{i % 250} . 10.1.{i / 250}.{i % 250}"))} }}", TypeOf, out _)!;
        Assert.True(script.LastSequence > 2);
    }
}
