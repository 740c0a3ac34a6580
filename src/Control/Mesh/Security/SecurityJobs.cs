using System.Net;
using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Mesh.Telemetries;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using MutualTls = Weft.Proxy.Config.Units.MutualTls;

namespace Weft.Control.Mesh.Security;

/// <summary>Workloads with what their inbound traffic passes, and the policies, each a unit of its own.</summary>
internal static class SecurityJobs
{
    public static IEnumerable<Job> Of(MeshIndex index)
    {
        foreach (var workload in index.Workloads)
            yield return new($"workload {workload.Namespace}/{workload.Name}", workload, (lookups, _) => [Workload(workload, lookups)]);
        foreach (var entry in MeshIndex.Ordered(index.Inputs.WorkloadEntries))
            yield return new($"workloadentry {MeshIndex.Name(entry)}", entry, (lookups, problems) => Entry(entry, lookups, problems));
        foreach (var policy in index.PeerAuthentications)
            yield return new($"{policy.GetType().Name} {MeshIndex.Name(policy)}", policy, (lookups, problems) => { PeerModes.Check(policy, lookups, problems); return []; });
        foreach (var policy in MeshIndex.Ordered(index.Inputs.AuthorizationPolicies))
            yield return new($"policy {MeshIndex.Name(policy)}", policy, (lookups, problems) => [UnitCodec.Policy(MeshIndex.Name(policy), AuthorizationReader.Read(policy, lookups, problems))],
                () => [UnitCodec.Policy(MeshIndex.Name(policy), AuthorizationReader.RefuseAll(MeshIndex.Name(policy)))]);
        // No issuers would let all pass that has no token; workloads name the unit, and a proxy that lacks it refuses.
        foreach (var policy in MeshIndex.Ordered(index.Inputs.RequestAuthentications))
            yield return new($"tokens {MeshIndex.Name(policy)}", policy, (lookups, problems) => [UnitCodec.Tokens(MeshIndex.Name(policy), TokensReader.Read(policy, lookups, problems))], () => []);
        foreach (var sidecar in MeshIndex.Ordered(index.Inputs.Sidecars))
            yield return new($"sidecar {MeshIndex.Name(sidecar)}", sidecar, (lookups, problems) => { SidecarCheck.Check(sidecar, lookups, problems); return []; });
    }

    /// <summary>Names of the policies that hold for workloads with these labels.</summary>
    public static ValueList<string> Policies(string @namespace, ValueMap labels, MeshLookups lookups) => Places(@namespace, lookups).SelectMany(lookups.Policies)
        .Where(policy => Selection.IsForWorkloads(policy.Spec.TargetRef, policy.Spec.TargetRefs) && Selection.IsFor(policy.Spec.Selector, labels))
        .Select(MeshIndex.Name).Order(StringComparer.Ordinal).ToValueList();

    public static ValueList<string> Tokens(string @namespace, ValueMap labels, MeshLookups lookups) => Places(@namespace, lookups).SelectMany(lookups.Tokens)
        .Where(policy => Selection.IsForWorkloads(policy.Spec.TargetRef, policy.Spec.TargetRefs) && Selection.IsFor(policy.Spec.Selector, labels))
        .Select(MeshIndex.Name).Order(StringComparer.Ordinal).ToValueList();

    private static IEnumerable<string> Places(string @namespace, MeshLookups lookups) => new[] { lookups.Settings.RootNamespace, @namespace }.Distinct();

    private static ConfigUnit Workload(MeshWorkload workload, MeshLookups lookups)
    {
        // What is not in the mesh is not captured, so nothing can be kept from it here; the policies of its namespace would only seem to hold.
        if (!workload.Meshed)
        {
            return UnitCodec.Workload($"{workload.Namespace}/{workload.Name}", new()
            {
                Addresses = workload.Addresses, Namespace = workload.Namespace, ServiceAccount = workload.ServiceAccount, Node = workload.Node, Labels = workload.Labels, MutualTls = MutualTls.Disable,
            });
        }

        var (mode, ports) = PeerModes.Of(workload.Namespace, workload.Labels, lookups);
        return UnitCodec.Workload($"{workload.Namespace}/{workload.Name}", new()
        {
            Addresses = workload.Addresses, Namespace = workload.Namespace, ServiceAccount = workload.ServiceAccount, Identity = workload.IdentityIn(lookups.Settings.TrustDomain),
            Node = workload.Node, Labels = workload.Labels, KnownHostsOnly = !ClientView.AllowsAny(ClientView.SidecarOf(workload.Namespace, workload.Labels, lookups), lookups), MutualTls = mode, Ports = ports,
            Policies = Policies(workload.Namespace, workload.Labels, lookups), Tokens = Tokens(workload.Namespace, workload.Labels, lookups),
            Telemetry = TelemetryReader.Of(workload.Namespace, workload.Labels, lookups),
        });
    }

    // A workload outside the cluster: who has its address is known; what it takes is not enforced here.
    private static IEnumerable<ConfigUnit> Entry(WorkloadEntry entry, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var (problems, spec) = (Problems.Of(entry, diagnostics), entry.Spec);
        problems.UnsupportedIf(!string.IsNullOrEmpty(spec.Network), "spec.network", "all workloads are reached directly");
        foreach (var (name, port) in spec.Ports.OrderBy(pair => pair.Key, StringComparer.Ordinal).Where(pair => pair.Value is <= 0 or > 65_535))
            problems.Error($"spec.ports.{name}", $"{port} is no port; 1 to 65535");
        if (!IPAddress.TryParse(spec.Address, out var address))
        {
            problems.Error("spec.address", string.IsNullOrEmpty(spec.Address) ? "is missing" : $"'{spec.Address}' is no IP address; names are for endpoints of a ServiceEntry");
            return [];
        }

        if (AddressClaims.OfEndpoint(address, entry.Metadata.Namespace ?? "", lookups) is { } why)
        {
            problems.Error("spec.address", $"'{spec.Address}' {why}");
            return [];
        }

        var account = string.IsNullOrEmpty(spec.ServiceAccount) ? null : spec.ServiceAccount;
        return
        [
            UnitCodec.Workload($"entry/{MeshIndex.Name(entry)}", new()
            {
                Addresses = [spec.Address!], Namespace = entry.Metadata.Namespace ?? "", ServiceAccount = account ?? "", Labels = new ValueMap(spec.Labels),
                Identity = account is null ? null : $"spiffe://{lookups.Settings.TrustDomain}/ns/{entry.Metadata.Namespace}/sa/{account}",
            }),
        ];
    }
}
