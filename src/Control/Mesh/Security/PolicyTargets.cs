using Weft.Api.Core;
using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.Security;

/// <summary>
/// What `targetRefs` name: the workloads behind a Service or a ServiceEntry. Istio's waypoint stands before the service and sees what is addressed to it; here the node of a workload decides about all
/// that comes to it. By which service a request came there only its own words would say, so a policy holds for the workloads, however they are reached.
/// </summary>
internal static class PolicyTargets
{
    private const string Networking = "networking.istio.io";

    public static bool Reaches(PolicyTargetReference target, string @namespace, ValueMap labels, MeshLookups lookups)
        => IsOwn(target, @namespace) && Labels(target, @namespace, lookups) is { Count: > 0 } selector && new ValueMap(selector).IsSubsetOf(labels);

    /// <param name="part">Has no effect when the target has none.</param>
    public static void Check(PolicyTargetReference target, string part, string field, string @namespace, MeshLookups lookups, Problems problems)
    {
        var (kind, name) = (target.Kind, target.Name);
        if (!IsKnown(target))
            problems.Ineffective(part, field, $"'{(string.IsNullOrEmpty(target.Group) ? kind : $"{kind}.{target.Group}")}' is no target here, so it holds nowhere; name a Service (group \"\") or a ServiceEntry (group {Networking}), or use a selector");
        else if (!IsOwn(target, @namespace))
            problems.NoTarget(part, $"{field}.namespace", $"'{target.Namespace}' is another namespace than the policy's, so it holds nowhere; targets are of its own");
        else if (Labels(target, @namespace, lookups) is not { } selector)
            problems.NoTarget(part, $"{field}.name", $"there is no {kind} {@namespace}/{name}, so it holds nowhere until there is");
        else if (selector.Count == 0)
            problems.Ineffective(part, field, $"{kind} {@namespace}/{name} selects no workloads, and policies hold where requests arrive, so it holds nowhere; use a selector");
    }

    private static bool IsKnown(PolicyTargetReference target) => (target.Kind, target.Group ?? "") is ("Service", "" or "core") or ("ServiceEntry", Networking);

    private static bool IsOwn(PolicyTargetReference target, string @namespace) => string.IsNullOrEmpty(target.Namespace) || target.Namespace == @namespace;

    /// <summary>Null: it is not there.</summary>
    private static IReadOnlyDictionary<string, string>? Labels(PolicyTargetReference target, string @namespace, MeshLookups lookups) => !IsKnown(target) ? null : target.Kind switch
    {
        "Service" => lookups.Host($"{target.Name}.{@namespace}.svc.{lookups.Settings.ClusterDomain}")?.Source is Service service && service.Metadata.Name == target.Name && service.Metadata.Namespace == @namespace
            ? service.Spec.Selector : null,
        _ => lookups.ServiceEntry(@namespace, target.Name) is { } entry ? entry.Spec.WorkloadSelector?.Labels ?? new Dictionary<string, string>() : null,
    };
}
