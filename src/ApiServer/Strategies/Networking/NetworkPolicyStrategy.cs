using System.Net;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Networking;

internal sealed class NetworkPolicyStrategy : DefaultStrategy
{
    private static readonly string[] Protocols = ["SCTP", "TCP", "UDP"];

    public override bool HasStatus => false;

    public override void Default(JsonObject tree)
    {
        if (tree.Ensure("spec") is not { } spec)
            return;
        foreach (var port in spec.Objects("ingress").Concat(spec.Objects("egress")).SelectMany(rule => rule.Objects("ports")))
            port.Default("protocol", "TCP");
        if (spec["policyTypes"] is null or JsonArray { Count: 0 })
        {
            // Ingress always; egress where it has rules.
            var types = new JsonArray("Ingress");
            if (spec["egress"] is JsonArray { Count: > 0 })
                types.Add("Egress");
            spec["policyTypes"] = types;
        }
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var spec = root["spec"];
        foreach (var error in SelectorRules.Validate(spec["podSelector"]))
            yield return error;
        foreach (var (rules, peers) in ((Field, string)[])[(spec["ingress"], "from"), (spec["egress"], "to")])
        {
            foreach (var rule in rules.Items)
            {
                foreach (var error in rule["ports"].Each(Port).Concat(rule[peers].Each(Peer)))
                    yield return error;
            }
        }
        if (spec["policyTypes"].Count > 2)
            yield return spec["policyTypes"].Invalid("may not specify more than two policyTypes");
        foreach (var type in spec["policyTypes"].Items)
        {
            if (type.Text is { } text && text is not ("Ingress" or "Egress"))
                yield return type.Unsupported(["Egress", "Ingress"]);
        }
    }

    private static IEnumerable<FieldError> Port(Field port)
    {
        if (port["protocol"].Text is { } protocol && !Protocols.Contains(protocol))
            yield return port["protocol"].Unsupported(Protocols);
        foreach (var error in port["port"].Exists ? Rules.PortNumberOrName(port["port"]) : [])
            yield return error;
        var last = port["endPort"];
        if (!last.Exists)
            yield break;
        if (!port["port"].Exists)
            yield return last.Invalid("may not be specified when `port` is not specified");
        else if (port["port"].Text is not null)
            yield return last.Invalid("may not be specified when `port` is non-numeric");
        else if (last.Number < port["port"].Number)
            yield return last.Invalid("must be greater than or equal to `port`");
        else
        {
            foreach (var error in Rules.Port(last))
                yield return error;
        }
    }

    private static IEnumerable<FieldError> Peer(Field peer)
    {
        var (pods, namespaces, block) = (peer["podSelector"], peer["namespaceSelector"], peer["ipBlock"]);
        if (!pods.Exists && !namespaces.Exists && !block.Exists)
            yield return peer.Required("must specify a peer");
        else if (block.Exists && (pods.Exists || namespaces.Exists))
            yield return peer.Forbidden("may not specify both ipBlock and another peer");
        foreach (var error in SelectorRules.Validate(pods).Concat(SelectorRules.Validate(namespaces)))
            yield return error;
        if (!block.Exists)
            yield break;
        if (!IPNetwork.TryParse(block["cidr"].TextOrEmpty, out var network))
        {
            yield return block["cidr"].Invalid("must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
            yield break;
        }
        foreach (var except in block["except"].Items)
        {
            if (!IPNetwork.TryParse(except.TextOrEmpty, out var inner))
                yield return except.Invalid("must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
            else if (!network.Contains(inner.BaseAddress) || inner.PrefixLength <= network.PrefixLength)
                yield return except.Invalid("must be a strict subset of `cidr`");
        }
    }
}
