using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Api.Quotas;

namespace Weft.ApiServer.Quotas;

/// <summary>One write as quotas see it; what it uses is worked out once, and only when a quota asks.</summary>
/// <param name="Tree">Null: the object goes.</param>
/// <param name="Old">Null: it comes.</param>
internal sealed record UseChange(GroupVersionResource Resource, JsonObject? Tree, JsonObject? Old)
{
    private readonly Lazy<IReadOnlyDictionary<string, Quantity>> _after = new(() => Use(Resource, Tree));
    private readonly Lazy<IReadOnlyDictionary<string, Quantity>> _before = new(() => Use(Resource, Old));
    private readonly Lazy<Pod?> _podAfter = new(() => PodOf(Resource, Tree)), _podBefore = new(() => PodOf(Resource, Old));

    public IReadOnlyDictionary<string, Quantity> After => _after.Value;
    public IReadOnlyDictionary<string, Quantity> Before => _before.Value;
    public Pod? PodAfter => _podAfter.Value;
    public Pod? PodBefore => _podBefore.Value;

    private static IReadOnlyDictionary<string, Quantity> Use(GroupVersionResource resource, JsonObject? tree) =>
        tree is null ? ImmutableDictionary<string, Quantity>.Empty : QuotaUsage.Of(resource.Group, resource.Resource, tree);

    private static Pod? PodOf(GroupVersionResource resource, JsonObject? tree) => tree is not null && resource is { Group: "", Resource: "pods" } ? ApiJson.FromTree<Pod>(tree) : null;
}

/// <param name="Used">What is in use from now on, of the resources that change.</param>
internal sealed record QuotaOutcome(string? Refusal, IReadOnlyDictionary<string, Quantity> Used);

/// <summary>Whether a quota allows a write, and what is in use after it. Pure. The messages are Kubernetes'.</summary>
internal static class QuotaRules
{
    /// <returns>Null: the quota has no part in this.</returns>
    public static QuotaOutcome? Apply(ResourceQuota quota, UseChange change)
    {
        var kind = (change.Resource.Group, change.Resource.Resource);
        var names = quota.Spec.Hard.Keys.Where(name => QuotaUsage.KindOf(name) == kind).Order(StringComparer.Ordinal).ToList();
        if (names.Count == 0 || QuotaScopes.Has(quota.Spec) && kind != ("", "pods"))
            return null;
        var (counts, counted) = (Counts(quota, change.Tree, change.PodAfter), Counts(quota, change.Old, change.PodBefore));
        if (!counts && !counted)
            return null;
        if (counts && change is { Old: null, PodAfter: { } pod } && Unnamed(names, pod) is { } unnamed)
            return Refuse($"failed quota: {quota.Metadata.Name}: must specify {unnamed}");

        var deltas = new List<(string Name, Quantity Delta)>();
        foreach (var name in names)
        {
            var delta = (counts ? change.After.GetValueOrDefault(name) : Quantity.Zero) - (counted ? change.Before.GetValueOrDefault(name) : Quantity.Zero);
            if (!delta.IsZero)
                deltas.Add((name, delta));
        }

        var more = deltas.Where(d => d.Delta.Sign > 0).ToList();
        if (more.Where(d => !quota.Status.Used.ContainsKey(d.Name)).Select(d => d.Name).ToList() is { Count: > 0 } unknown)
            return Refuse($"status unknown for quota: {quota.Metadata.Name}, resources: {string.Join(',', unknown)}");
        var beyond = more.Where(d => quota.Status.Used[d.Name] + d.Delta > quota.Spec.Hard[d.Name]).ToList();
        if (beyond.Count > 0)
        {
            return Refuse($"exceeded quota: {quota.Metadata.Name}, requested: {List(d => d.Delta)}, used: {List(d => quota.Status.Used[d.Name])}, limited: {List(d => quota.Spec.Hard[d.Name])}");
        }
        return new(null, deltas.Where(d => quota.Status.Used.ContainsKey(d.Name)).ToDictionary(d => d.Name, d => NotNegative(quota.Status.Used[d.Name] + d.Delta)));

        string List(Func<(string Name, Quantity Delta), Quantity> amount) => string.Join(',', beyond.Select(d => $"{d.Name}={amount(d)}"));
    }

    private static bool Counts(ResourceQuota quota, JsonObject? tree, Pod? pod) => tree is not null && (pod is null || QuotaScopes.Match(quota.Spec, pod));

    // `limits.cpu for: a,b; requests.memory for: a`
    private static string? Unnamed(IEnumerable<string> names, Pod pod)
    {
        var parts = new List<string>();
        foreach (var name in names.Where(QuotaUsage.IsCompute))
        {
            var containers = pod.Spec.Containers.Concat(pod.Spec.InitContainers).Where(c => !Names(c, name)).Select(c => c.Name).Distinct().Order(StringComparer.Ordinal).ToList();
            if (containers.Count > 0)
                parts.Add($"{name} for: {string.Join(',', containers)}");
        }
        return parts.Count == 0 ? null : string.Join("; ", parts);
    }

    private static bool Names(Container container, string name) => container.Resources is { } resources
        && (name.StartsWith("limits.", StringComparison.Ordinal) ? resources.Limits.ContainsKey(name[7..])
            : resources.Requests.ContainsKey(name.StartsWith("requests.", StringComparison.Ordinal) ? name[9..] : name));

    private static QuotaOutcome Refuse(string why) => new(why, ImmutableDictionary<string, Quantity>.Empty);

    private static Quantity NotNegative(Quantity amount) => amount.Sign < 0 ? Quantity.Zero : amount;
}
