using Weft.Api;
using Weft.Cli.Mesh;
using Weft.Control.Mesh.Analysis;
using Weft.Control.Mesh.Diagnostics;
using Weft.Proxy.Config.Inspection;

namespace Weft.Cli.Observing;

/// <summary>Which objects say what an explanation found, and what the compiler has to say of them.</summary>
public static class WhyNotes
{
    private static readonly HashSet<string> Rules = ["VirtualService", "DestinationRule", "ServiceEntry", "Gateway", "Ingress", "Sidecar", "AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication", "Policy"];

    public static IReadOnlyList<string> Of(Explanation explanation, MeshReport report)
    {
        var notes = new List<string>();
        foreach (var cluster in explanation.Units.Where(unit => unit.StartsWith("Cluster ", StringComparison.Ordinal)).Select(unit => unit["Cluster ".Length..]))
        {
            if (report.Origins?.DestinationRuleOf(cluster) is { } rule)
                notes.Add($"{cluster}: by {rule}");
        }

        foreach (var mode in explanation.Endpoints.Where(one => one.Workload is not null).Select(one => (one.Workload, Port: one.Address[(one.Address.LastIndexOf(':') + 1)..])).Distinct()
                     .Select(one => report.Origins?.PeerAuthenticationOf(one.Workload!, int.Parse(one.Port, System.Globalization.CultureInfo.InvariantCulture))).OfType<ObjectRef>().Distinct())
            notes.Add($"mutual TLS: by {mode}");
        var text = string.Join('\n', explanation.Steps.SelectMany(step => step.Why.Append(step.Text)).Concat(explanation.Units).Concat(notes));
        foreach (var problem in report.Diagnostics.Where(problem => Rules.Contains(problem.Object.Kind) && text.Contains($"{problem.Object.Namespace}/{problem.Object.Name}", StringComparison.Ordinal)).Select(MeshFinding.Of))
            notes.Add($"{problem.Severity}: {problem.Object} {problem.Field} {problem.Message}{(problem.Advice is { } advice ? $"; {advice}" : "")}");
        return [.. notes.Distinct()];
    }
}
