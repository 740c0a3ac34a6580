using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Api.Networking;
using Weft.Api.Selectors;

namespace Weft.Node.Network.Policies;

/// <param name="Pods">Of all nodes.</param>
/// <param name="Node">Whose pods are judged here; the pods of another node are judged there.</param>
internal sealed record PolicyInputs(IReadOnlyList<NetworkPolicy> Policies, IReadOnlyList<Pod> Pods, IReadOnlyList<Namespace> Namespaces, string Node)
{
    /// <summary>Also what pods of other nodes send is judged here: in a mesh it may leave their node within mutual TLS, and comes to light only where its tunnel ends.</summary>
    public bool HasTunnels { get; init; }
}

/// <summary>
/// NetworkPolicies as chains and sets. A pod that no policy selects for a direction is open in that direction; one that is selected may do what some rule
/// of some of its policies allows, and nothing else. Pure.
/// </summary>
internal static class PolicyCompiler
{
    /// <summary>What sets of pods, and sets of pods' named ports, are made of.</summary>
    public const string Addresses = "ipv4_addr", Endpoints = "ipv4_addr . inet_proto . inet_service";

    public static PolicyModel Compile(PolicyInputs inputs)
    {
        if (inputs.Policies.Count == 0)
            return PolicyModel.Empty;
        var look = new Look(inputs);
        foreach (var pod in inputs.Pods)
        {
            if (pod.Spec.NodeName == inputs.Node)
                look.Judge(pod);
            else if (inputs.HasTunnels)
                look.JudgeOutgoing(pod);
        }

        return look.Model();
    }

    private sealed class Look
    {
        private readonly PolicyInputs _inputs;
        private readonly List<(NetworkPolicy Policy, LabelQuery Selector)> _policies = [];
        private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _namespaces;
        private readonly List<(Pod Pod, string Address)> _reachable;
        private readonly Dictionary<string, PolicySet> _sets = [];
        private readonly Dictionary<string, ImmutableArray<string>> _chains = [];
        private readonly Dictionary<string, string> _ingress = [];
        private readonly Dictionary<string, string> _egress = [];

        public Look(PolicyInputs inputs)
        {
            _inputs = inputs;
            foreach (var policy in inputs.Policies.OrderBy(policy => policy.Metadata.Namespace + "/" + policy.Metadata.Name, StringComparer.Ordinal))
            {
                if (Query(policy.Spec.PodSelector) is { } selector)
                    _policies.Add((policy, selector));
            }
            _namespaces = inputs.Namespaces.ToDictionary(one => one.Metadata.Name ?? "", one => one.Metadata.Labels);
            // A pod on the host's network has the node's address: it is no pod to policies.
            _reachable = [.. inputs.Pods.Select(pod => (pod, Address: AddressOf(pod))).Where(one => one.Address is not null).Select(one => (one.pod, one.Address!))];
        }

        public void Judge(Pod pod)
        {
            if (AddressOf(pod) is not { } address)
                return;
            var incoming = PoliciesOf(pod, "Ingress");
            if (incoming.Count > 0)
            {
                _ingress[address] = Chain("in", incoming.SelectMany(policy => policy.Spec.Ingress.SelectMany(rule =>
                    Lines(policy, rule.From, rule.Ports, "saddr", port => Ports(pod, port)))));
            }

            JudgeOutgoing(pod);
        }

        public void JudgeOutgoing(Pod pod)
        {
            if (AddressOf(pod) is not { } address || PoliciesOf(pod, "Egress") is not { Count: > 0 } outgoing)
                return;
            _egress[address] = Chain("out", outgoing.SelectMany(policy => policy.Spec.Egress.SelectMany(rule =>
                Lines(policy, rule.To, rule.Ports, "daddr", null))));
        }

        private List<NetworkPolicy> PoliciesOf(Pod pod, string direction) =>
        [
            .. _policies.Where(one => one.Policy.Metadata.Namespace == pod.Metadata.Namespace && one.Selector.Matches(pod.Metadata.Labels)).Select(one => one.Policy)
                .Where(policy => Types(policy).Contains(direction)),
        ];

        public PolicyModel Model() => new(
            _sets.ToImmutableSortedDictionary(StringComparer.Ordinal), _chains.ToImmutableSortedDictionary(StringComparer.Ordinal),
            _ingress.ToImmutableSortedDictionary(StringComparer.Ordinal), _egress.ToImmutableSortedDictionary(StringComparer.Ordinal));

        private string Chain(string prefix, IEnumerable<string> allowed)
        {
            ImmutableArray<string> lines = [.. allowed.Distinct(), PolicyScript.Denied];
            var name = $"{prefix}_{Hash(string.Join('\n', lines))}";
            _chains[name] = lines;
            return name;
        }

        /// <param name="named">Finds the numbers of a named port at the pod itself; null for egress, where the port is the peer's.</param>
        private IEnumerable<string> Lines(
            NetworkPolicy policy, IReadOnlyList<NetworkPolicyPeer> peers, IReadOnlyList<NetworkPolicyPort> ports, string side, Func<NetworkPolicyPort, IEnumerable<int>>? named)
        {
            foreach (var port in ports.Count == 0 ? [null] : ports.Cast<NetworkPolicyPort?>())
            {
                if (port?.Port is { IsInt: false } && named is null)
                {
                    foreach (var set in NamedSets(policy, peers, port))
                        yield return $"ip daddr . meta l4proto . th dport @{set} return";
                    continue;
                }

                foreach (var match in port is null ? [""] : Matches(port, named))
                {
                    foreach (var peer in peers.Count == 0 ? [""] : peers.Select(one => Peer(policy, one, side)).OfType<string>())
                        yield return $"{peer} {match} return".Trim();
                }
            }
        }

        private static IEnumerable<string> Matches(NetworkPolicyPort port, Func<NetworkPolicyPort, IEnumerable<int>>? named)
        {
            var protocol = (port.Protocol ?? "TCP").ToLowerInvariant();
            if (port.Port is not { } number)
                return [$"meta l4proto {protocol}"];
            if (!number.IsInt)
                return named!(port).Select(one => string.Create(CultureInfo.InvariantCulture, $"{protocol} dport {one}"));
            return port.EndPort is { } last && last > number.Number
                ? [string.Create(CultureInfo.InvariantCulture, $"{protocol} dport {number.Number}-{last}")]
                : [string.Create(CultureInfo.InvariantCulture, $"{protocol} dport {number.Number}")];
        }

        // Null: the peer can be no IPv4 address.
        private string? Peer(NetworkPolicy policy, NetworkPolicyPeer peer, string side)
        {
            if (peer.IpBlock is { } block)
            {
                if (V4(block.Cidr) is not { } range)
                    return null;
                var except = block.Except.Select(V4).OfType<string>().ToList();
                return except.Count == 0 ? $"ip {side} {range}" : $"ip {side} {range} ip {side} != {{ {string.Join(", ", except)} }}";
            }

            var name = "pods_" + Hash(Identity(policy, peer));
            if (!_sets.ContainsKey(name))
                _sets[name] = new PolicySet(Addresses, [.. Selected(policy, peer).Select(one => one.Address)]);
            return $"ip {side} @{name}";
        }

        private IEnumerable<string> NamedSets(NetworkPolicy policy, IReadOnlyList<NetworkPolicyPeer> peers, NetworkPolicyPort port)
        {
            // Without peers: any pod that has a port of the name.
            foreach (var peer in peers.Count == 0 ? [new NetworkPolicyPeer { NamespaceSelector = new LabelSelector() }] : peers)
            {
                if (peer.IpBlock is not null)
                    continue; // an address has no names of ports
                var name = "ports_" + Hash($"{Identity(policy, peer)}|{port.Protocol}|{port.Port}");
                if (!_sets.ContainsKey(name))
                {
                    var protocol = (port.Protocol ?? "TCP").ToLowerInvariant();
                    _sets[name] = new PolicySet(Endpoints, [.. Selected(policy, peer).SelectMany(one =>
                        Ports(one.Pod, port).Select(number => string.Create(CultureInfo.InvariantCulture, $"{one.Address} . {protocol} . {number}")))]);
                }
                yield return name;
            }
        }

        private IEnumerable<(Pod Pod, string Address)> Selected(NetworkPolicy policy, NetworkPolicyPeer peer)
        {
            var pods = peer.PodSelector is null ? null : Query(peer.PodSelector);
            var namespaces = peer.NamespaceSelector is null ? null : Query(peer.NamespaceSelector);
            if (peer.PodSelector is not null && pods is null || peer.NamespaceSelector is not null && namespaces is null)
                return []; // a selector that cannot be read selects nothing
            return _reachable.Where(one =>
                (pods is null || pods.Matches(one.Pod.Metadata.Labels))
                && (namespaces is null
                    ? one.Pod.Metadata.Namespace == policy.Metadata.Namespace
                    : _namespaces.TryGetValue(one.Pod.Metadata.Namespace ?? "", out var labels) && namespaces.Matches(labels)));
        }

        private static string Identity(NetworkPolicy policy, NetworkPolicyPeer peer) =>
            $"{(peer.NamespaceSelector is null ? policy.Metadata.Namespace : "")}|{ApiJson.ToTree(peer).ToJsonString()}";

        private static IEnumerable<int> Ports(Pod pod, NetworkPolicyPort port) => pod.Spec.InitContainers.Where(one => one.RestartPolicy == "Always").Concat(pod.Spec.Containers)
            .SelectMany(container => container.Ports)
            .Where(one => one.Name == port.Port?.Text && (one.Protocol ?? "TCP") == (port.Protocol ?? "TCP"))
            .Select(one => one.Port).Distinct().Order();

        private static string? AddressOf(Pod pod)
        {
            if (pod.Spec.HostNetwork == true || pod.Status.Phase is "Succeeded" or "Failed" || pod.Status.PodIP is not { Length: > 0 } text)
                return null;
            return IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetwork ? address.ToString() : null;
        }

        private static IReadOnlyList<string> Types(NetworkPolicy policy) =>
            policy.Spec.PolicyTypes.Count > 0 ? policy.Spec.PolicyTypes : policy.Spec.Egress.Count > 0 ? ["Ingress", "Egress"] : ["Ingress"];

        private static string? V4(string text) =>
            IPNetwork.TryParse(text, out var network) && network.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? network.ToString() : null;

        private static LabelQuery? Query(LabelSelector selector)
        {
            try
            {
                return LabelQuery.FromSelector(ApiJson.ToTree(selector));
            }
            catch (SelectorException)
            {
                return null;
            }
        }

        // Names of nft have at most 31 characters in old kernels.
        private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }
}
