using System.Globalization;
using Weft.Api;
using Weft.Api.Istio;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using MutualTls = Weft.Proxy.Config.Units.MutualTls;

namespace Weft.Control.Mesh.Security;

/// <summary>Whether a workload takes connections without mutual TLS. The nearest policy that says something holds: port, workload, namespace, mesh.</summary>
internal static class PeerModes
{
    public static PeerAuthentication Modern(IObject value) => value is OldPolicy old ? old.ToPeerAuthentication() : (PeerAuthentication)value;

    public static (MutualTls Mode, ValueList<PortMutualTls> Ports) Of(string @namespace, ValueMap labels, MeshLookups lookups)
    {
        var (workload, whole, mesh) = Layers(@namespace, labels, lookups);
        var inherited = Mode(whole?.Spec.Mtls) ?? Mode(mesh?.Spec.Mtls) ?? lookups.Settings.MutualTls;
        var mode = Mode(workload?.Spec.Mtls) ?? inherited;
        var ports = (workload?.Spec.PortLevelMtls ?? new Dictionary<string, MutualTLS>())
            .Select(pair => (Port: PortOf(pair.Key), Mode: Mode(pair.Value) ?? mode)).Where(pair => pair.Port is not null)
            .OrderBy(pair => pair.Port).Select(pair => new PortMutualTls(pair.Port!.Value, pair.Mode)).ToValueList();
        return (mode, ports);
    }

    /// <summary>The policy that says the mode of a port; null: none does, and the mesh's own setting holds.</summary>
    public static PeerAuthentication? Deciding(string @namespace, ValueMap labels, int port, MeshLookups lookups)
    {
        var (workload, whole, mesh) = Layers(@namespace, labels, lookups);
        if (workload is not null && (Mode(workload.Spec.Mtls) is not null || workload.Spec.PortLevelMtls.Any(pair => PortOf(pair.Key) == port && Mode(pair.Value) is not null)))
            return workload;
        return Mode(whole?.Spec.Mtls) is not null ? whole : Mode(mesh?.Spec.Mtls) is not null ? mesh : null;
    }

    private static (PeerAuthentication? Workload, PeerAuthentication? Namespace, PeerAuthentication? Mesh) Layers(string @namespace, ValueMap labels, MeshLookups lookups)
    {
        var root = lookups.Settings.RootNamespace;
        // The oldest of a kind counts, as in Istio.
        var mesh = lookups.PeerAuthentications(root).Select(Modern).FirstOrDefault(policy => !Selects(policy));
        var own = lookups.PeerAuthentications(@namespace).Select(Modern).ToList();
        var whole = @namespace == root ? null : own.FirstOrDefault(policy => !Selects(policy));
        return (own.FirstOrDefault(policy => Selects(policy) && Selection.IsFor(policy.Spec.Selector, labels)), whole, mesh);
    }

    public static void Check(IObject value, MeshLookups lookups, List<MeshDiagnostic> diagnostics)
    {
        var (problems, policy) = (Problems.Of(value, diagnostics), Modern(value));
        var @namespace = value.Metadata.Namespace ?? "";
        if (value is OldPolicy old)
        {
            problems.Warn("kind", "Policy is an old form; write PeerAuthentication with selector.matchLabels and mtls.mode");
            if (old.Spec.Peers.Count > 1)
                problems.Error("spec.peers[1]", "only the first counts; leave out the others");
        }

        Known(policy.Spec.Mtls, "spec.mtls.mode", problems);
        foreach (var (port, mtls) in policy.Spec.PortLevelMtls.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (PortOf(port) is null)
                problems.Error($"spec.portLevelMtls.{port}", $"'{port}' is no port; 1 to 65535");
            Known(mtls, $"spec.portLevelMtls.{port}.mode", problems);
        }

        if (policy.Spec.PortLevelMtls.Count > 0 && !Selects(policy))
            problems.Error("spec.portLevelMtls", "needs a selector: ports are those of workloads");
        var first = lookups.PeerAuthentications(@namespace).FirstOrDefault(other => !Selects(Modern(other)));
        if (!Selects(policy) && first is not null && !ReferenceEquals(first, value))
            problems.Warn("spec", $"{Problems.RefOf(first)} is older and holds for the namespace; delete one");
    }

    private static bool Selects(PeerAuthentication policy) => policy.Spec.Selector is { MatchLabels.Count: > 0 };

    // Whatever is no mode closes the door.
    private static MutualTls? Mode(MutualTLS? mtls) => mtls?.Mode switch { null or "UNSET" => null, "DISABLE" => MutualTls.Disable, "PERMISSIVE" => MutualTls.Permissive, _ => MutualTls.Strict };

    private static void Known(MutualTLS? mtls, string field, Problems problems)
    {
        if (mtls?.Mode is not (null or "UNSET" or "DISABLE" or "PERMISSIVE" or "STRICT"))
            problems.Error(field, $"'{mtls.Mode}' is counted as STRICT; write STRICT, PERMISSIVE, DISABLE or UNSET");
    }

    private static int? PortOf(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65_536 ? port : null;
}
