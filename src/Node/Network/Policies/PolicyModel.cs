using System.Collections.Immutable;

namespace Weft.Node.Network.Policies;

/// <summary>What the kernel is to hold. Names of chains and sets follow from their meaning, so that equal things of two models have one name.</summary>
/// <param name="Sets">Elements by set.</param>
/// <param name="Chains">Rules by chain. A chain never changes: other rules are another chain.</param>
/// <param name="Ingress">The chain that judges what comes to a pod's address.</param>
/// <param name="Egress">The chain that judges what a pod's address sends.</param>
internal sealed record PolicyModel(
    ImmutableSortedDictionary<string, PolicySet> Sets,
    ImmutableSortedDictionary<string, ImmutableArray<string>> Chains,
    ImmutableSortedDictionary<string, string> Ingress,
    ImmutableSortedDictionary<string, string> Egress)
{
    public static readonly PolicyModel Empty = new(
        ImmutableSortedDictionary.Create<string, PolicySet>(StringComparer.Ordinal), ImmutableSortedDictionary.Create<string, ImmutableArray<string>>(StringComparer.Ordinal),
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal), ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal));
}

/// <param name="Type">Of the elements, in nft's words.</param>
internal sealed record PolicySet(string Type, ImmutableSortedSet<string> Elements);
