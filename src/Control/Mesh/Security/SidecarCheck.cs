using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Hosts;

namespace Weft.Control.Mesh.Security;

internal static class SidecarCheck
{
    public static void Check(Sidecar sidecar, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var (problems, spec) = (Problems.Of(sidecar, diagnostics), sidecar.Spec);
        problems.UnsupportedIf(spec.Ingress.Count > 0, "spec.ingress", "workloads are reached at their own ports");
        problems.UnsupportedIf(spec.InboundConnectionPool is not null, "spec.inboundConnectionPool", "limits are those of clients, by DestinationRule");
        problems.UnsupportedIf(spec.OutboundTrafficPolicy?.EgressProxy is not null, "spec.outboundTrafficPolicy.egressProxy", "traffic to other hosts goes there directly");
        if (spec.OutboundTrafficPolicy?.Mode is not (null or "ALLOW_ANY" or "REGISTRY_ONLY"))
            problems.Error("spec.outboundTrafficPolicy.mode", $"'{spec.OutboundTrafficPolicy.Mode}' is counted as REGISTRY_ONLY; write ALLOW_ANY or REGISTRY_ONLY");
        foreach (var (i, listener) in spec.Egress.Index())
        {
            problems.UnsupportedIf(listener.Bind is not null, $"spec.egress[{i}].bind", "connections are captured wherever they go");
            problems.UnsupportedIf(listener.CaptureMode == "NONE", $"spec.egress[{i}].captureMode", "connections are captured all the same");
            if (listener.Hosts.Count == 0)
                problems.Error($"spec.egress[{i}].hosts", "is missing; write namespace/host, ./* or */*");
            foreach (var (j, host) in listener.Hosts.Index().Where(item => item.Item.Split('/') is not [{ Length: > 0 }, var name] || !HostNames.IsHost(name)))
                problems.Error($"spec.egress[{i}].hosts[{j}]", $"'{host}' is not namespace/host; write namespace/host, ./* or */*");
        }

        var first = lookups.Sidecars().FirstOrDefault(other => other.Metadata.Namespace == sidecar.Metadata.Namespace && other.Spec.WorkloadSelector is not { Labels.Count: > 0 });
        if (spec.WorkloadSelector is not { Labels.Count: > 0 } && first is not null && !ReferenceEquals(first, sidecar))
            problems.Warn("spec", $"Sidecar {MeshIndex.Name(first)} is older and holds for the namespace; delete one");
    }
}
