using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Api.Networking;
using Weft.Node.Network.Policies;
using Weft.Node.Tests.Network.Services;

namespace Weft.Node.Tests.Network.Policies;

public sealed class PolicyCompilerTests
{
    private static Pod Pod(string name, string address, string labels = "{}", string ns = "default", string node = "n1", string ports = "[]", bool host = false) => ApiJson.FromTree<Pod>(new JsonObject
    {
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns, ["labels"] = JsonNode.Parse(labels) },
        ["spec"] = new JsonObject { ["nodeName"] = node, ["hostNetwork"] = host, ["containers"] = new JsonArray(new JsonObject { ["name"] = "c", ["ports"] = JsonNode.Parse(ports) }) },
        ["status"] = new JsonObject { ["phase"] = "Running", ["podIP"] = address },
    });

    private static NetworkPolicy Policy(string spec, string name = "p", string ns = "default") =>
        ApiJson.FromTree<NetworkPolicy>(new JsonObject { ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns }, ["spec"] = JsonNode.Parse(spec) });

    private static readonly Namespace[] Namespaces =
    [
        new() { Metadata = new ObjectMeta { Name = "default" } },
        new() { Metadata = new ObjectMeta { Name = "shop", Labels = new Dictionary<string, string> { ["team"] = "blue" } } },
    ];

    private static readonly Pod Web = Pod("web", "10.1.0.2", """{"app":"web"}""", ports: """[{"name":"http","containerPort":8080,"protocol":"TCP"}]""");
    private static readonly Pod Friend = Pod("friend", "10.1.1.3", """{"role":"friend"}""", node: "n2");
    private static readonly Pod Shop = Pod("till", "10.1.1.4", ns: "shop", node: "n2");
    private static readonly Pod Dns = Pod("dns", "10.1.1.5", """{"app":"dns"}""", node: "n2", ports: """[{"name":"dns","containerPort":53,"protocol":"UDP"}]""");
    private static readonly Pod OnHost = Pod("host", "192.0.2.1", """{"role":"friend"}""", host: true);

    private static PolicyModel Compile(params NetworkPolicy[] policies) => PolicyCompiler.Compile(new PolicyInputs(policies, [Web, Friend, Shop, Dns, OnHost], Namespaces, "n1"));

    [Fact]
    public void Where_tunnels_end_the_egress_of_all_pods_is_judged_and_the_ingress_of_the_own()
    {
        var inputs = new PolicyInputs([Policy("""{"podSelector":{},"policyTypes":["Ingress","Egress"],"egress":[{"to":[{"podSelector":{"matchLabels":{"app":"web"}}}]}]}""")], [Web, Friend, Shop, OnHost], Namespaces, "n1");
        const string Egress = "ip daddr [10.1.0.2]  return; goto denied";
        Assert.Equal($"in 10.1.0.2: goto denied\nout 10.1.0.2: {Egress}", Show(PolicyCompiler.Compile(inputs)));
        Assert.Equal($"in 10.1.0.2: goto denied\nout 10.1.0.2: {Egress}\nout 10.1.1.3: {Egress}", Show(PolicyCompiler.Compile(inputs with { HasTunnels = true })));
    }

    private static string Show(PolicyModel model)
    {
        var lines = new List<string>();
        foreach (var (direction, map) in new[] { ("in", model.Ingress), ("out", model.Egress) })
        {
            foreach (var (address, chain) in map)
                lines.Add($"{direction} {address}: {string.Join("; ", model.Chains[chain])}");
        }
        var text = string.Join('\n', lines);
        foreach (var (name, set) in model.Sets)
            text = text.Replace("@" + name, "[" + string.Join(", ", set.Elements) + "]", StringComparison.Ordinal);
        return text;
    }

    [Theory]
    // Nothing selected, nothing judged; default deny of either direction
    [InlineData("""{"podSelector":{"matchLabels":{"app":"other"}}}""", "")]
    [InlineData("""{"podSelector":{}}""", "in 10.1.0.2: goto denied")]
    [InlineData("""{"podSelector":{},"policyTypes":["Egress"]}""", "out 10.1.0.2: goto denied")]
    [InlineData("""{"podSelector":{},"policyTypes":["Ingress","Egress"]}""", "in 10.1.0.2: goto denied\nout 10.1.0.2: goto denied")]
    [InlineData("""{"podSelector":{},"egress":[{}]}""", "in 10.1.0.2: goto denied\nout 10.1.0.2: return; goto denied")]
    // Peers
    [InlineData("""{"podSelector":{},"ingress":[{}]}""", "in 10.1.0.2: return; goto denied")]
    [InlineData("""{"podSelector":{},"ingress":[{"from":[{"podSelector":{"matchLabels":{"role":"friend"}}}]}]}""", "in 10.1.0.2: ip saddr [10.1.1.3]  return; goto denied")]
    [InlineData("""{"podSelector":{},"ingress":[{"from":[{"namespaceSelector":{"matchLabels":{"team":"blue"}}}]}]}""", "in 10.1.0.2: ip saddr [10.1.1.4]  return; goto denied")]
    [InlineData("""{"podSelector":{},"ingress":[{"from":[{"namespaceSelector":{"matchLabels":{"team":"blue"}},"podSelector":{"matchLabels":{"role":"friend"}}}]}]}""", "in 10.1.0.2: ip saddr []  return; goto denied")]
    [InlineData("""{"podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.0/8","except":["10.2.0.0/16","10.3.0.0/16"]}}]}]}""", "in 10.1.0.2: ip saddr 10.0.0.0/8 ip saddr != { 10.2.0.0/16, 10.3.0.0/16 }  return; goto denied")]
    [InlineData("""{"podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"2001:db8::/64"}}]}]}""", "in 10.1.0.2: goto denied")]
    // Ports
    [InlineData("""{"podSelector":{},"ingress":[{"ports":[{"port":80},{"port":53,"protocol":"UDP"},{"port":1000,"endPort":2000},{"protocol":"SCTP"}]}]}""",
        "in 10.1.0.2: tcp dport 80 return; udp dport 53 return; tcp dport 1000-2000 return; meta l4proto sctp return; goto denied")]
    [InlineData("""{"podSelector":{},"ingress":[{"ports":[{"port":"http"},{"port":"none"}]}]}""", "in 10.1.0.2: tcp dport 8080 return; goto denied")]
    [InlineData("""{"podSelector":{},"policyTypes":["Egress"],"egress":[{"to":[{"podSelector":{"matchLabels":{"app":"dns"}}}],"ports":[{"port":"dns","protocol":"UDP"},{"port":443}]}]}""",
        "out 10.1.0.2: ip daddr . meta l4proto . th dport [10.1.1.5 . udp . 53] return; ip daddr [10.1.1.5] tcp dport 443 return; goto denied")]
    public void A_policy_becomes_the_rules_of_the_pods_it_selects(string spec, string expected) =>
        Assert.Equal(expected.Replace("  ", " ", StringComparison.Ordinal), Show(Compile(Policy(spec))).Replace("  ", " ", StringComparison.Ordinal));

    [Fact]
    public void What_one_of_several_policies_allows_is_allowed() => Assert.Equal(
        "in 10.1.0.2: tcp dport 1 return; tcp dport 2 return; goto denied",
        Show(Compile(Policy("""{"podSelector":{},"ingress":[{"ports":[{"port":1}]}]}""", "a"), Policy("""{"podSelector":{},"ingress":[{"ports":[{"port":2}]}]}""", "b"))));

    [Fact]
    public void A_policy_of_another_namespace_selects_none_of_ours() => Assert.Equal("", Show(Compile(Policy("""{"podSelector":{}}""", ns: "shop"))));

    [Fact]
    public async Task Changes_lead_to_the_same_table_as_starting_anew()
    {
        await using var ns = await NetworkNamespace.CreateAsync();
        string[] specs =
        [
            """{"podSelector":{}}""", """{"podSelector":{},"policyTypes":["Ingress","Egress"],"egress":[{}]}""",
            """{"podSelector":{},"ingress":[{"from":[{"podSelector":{"matchLabels":{"role":"friend"}}}],"ports":[{"port":80,"endPort":90},{"port":"http"}]}]}""",
            """{"podSelector":{"matchLabels":{"app":"web"}},"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.0/8","except":["10.2.0.0/16"]}},{"namespaceSelector":{}}]}]}""",
            """{"podSelector":{},"policyTypes":["Egress"],"egress":[{"to":[{"podSelector":{}}],"ports":[{"port":"dns","protocol":"UDP"},{"protocol":"SCTP"}]},{"to":[{"namespaceSelector":{"matchLabels":{"team":"blue"}}}]}]}""",
        ];
        var applied = PolicyModel.Empty;
        await ns.NftAsync(PolicyScript.Full("lab", applied));
        for (var round = 0; round < 25; round++)
        {
            var random = Chance.Source;
            var policies = specs.Where(_ => random.Next(2) == 0).Select((spec, i) => Policy(spec, "p" + i)).ToList();
            Pod[] all = [Web, Friend, Shop, Dns, OnHost, Pod("late", "10.1.0.9", """{"app":"web"}""")];
            var next = PolicyCompiler.Compile(new PolicyInputs(policies, [.. all.Where(_ => random.Next(4) > 0)], Namespaces, "n1"));
            var change = PolicyScript.Change("lab", applied, next);
            if (change.Length > 0)
                await ns.NftAsync(change);
            applied = next;

            var stepwise = await ns.RunAsync("nft", ["list", "table", "ip", PolicyScript.Table("lab")]);
            await ns.NftAsync(PolicyScript.Full("anew", next));
            var anew = await ns.RunAsync("nft", ["list", "table", "ip", PolicyScript.Table("anew")]);
            Assert.Equal(Sorted(anew.Replace(PolicyScript.Table("anew"), "", StringComparison.Ordinal)), Sorted(stepwise.Replace(PolicyScript.Table("lab"), "", StringComparison.Ordinal)));
        }
        await ns.NftAsync(PolicyScript.Remove("lab") + PolicyScript.Remove("anew"));
        Assert.Equal("", await ns.RunAsync("nft", ["list", "ruleset"]));

        // The kernel keeps sets and maps in its own order.
        static string Sorted(string table) => string.Join('\n', table.Split('\n', ',').Select(line => string.Concat(line.Where(c => !char.IsWhiteSpace(c))).Replace("elements={", "", StringComparison.Ordinal).TrimEnd('}')).Where(line => line.Length > 0).Order(StringComparer.Ordinal));
    }
}
