using System.Globalization;
using Weft.Api;
using Weft.Api.Istio;
using Weft.Control.Mesh.Inputs;

namespace Weft.Control.Mesh.Diagnostics;

/// <summary>Which objects have no effect at all. What is unsupported in them is an error then, in statuses and in an analysis alike. Pure.</summary>
internal static class Effects
{
    /// <summary>Reasons of conditions.</summary>
    public const string Unsupported = "Unsupported", TargetNotFound = "TargetNotFound";

    /// <summary>An object as a whole.</summary>
    public const string Whole = "spec";

    public static IEnumerable<MeshDiagnostic> Judged(IEnumerable<MeshDiagnostic> problems, MeshInputs inputs)
    {
        var all = problems.ToList();
        var without = all.Where(problem => problem.Lost is not null).GroupBy(problem => problem.Object)
            .Where(group => HasNoneLeft(group.Key, group.Select(problem => problem.Lost!).ToHashSet(StringComparer.Ordinal), inputs)).Select(group => group.Key).ToHashSet();
        return without.Count == 0 ? all : all.Select(problem => problem.Lost is not null && without.Contains(problem.Object) ? problem with { Severity = Severity.Error } : problem);
    }

    /// <summary>Whether the same problems may be judged otherwise when objects change: one more rule beside those that are lost.</summary>
    public static bool MayDiffer(IEnumerable<MeshDiagnostic> problems) => problems.Any(problem => problem.Lost is not null);

    // An object needs one of each of its lists: a policy without targets is for nobody, one without rules says nothing.
    private static bool HasNoneLeft(ObjectRef about, HashSet<string> lost, MeshInputs inputs) => lost.Contains(Whole)
        || Lists(about, inputs).Any(list => list.Count > 0 && Enumerable.Range(0, list.Count).All(i => lost.Contains(string.Create(CultureInfo.InvariantCulture, $"{list.Name}[{i}]"))));

    private static IEnumerable<(string Name, int Count)> Lists(ObjectRef about, MeshInputs inputs) => about.Kind switch
    {
        "Gateway" when Find(inputs.Gateways, about) is { } gateway => [("spec.servers", gateway.Spec.Servers.Count)],
        "RequestAuthentication" when Find(inputs.RequestAuthentications, about) is { } tokens => [("spec.jwtRules", tokens.Spec.JwtRules.Count), ("spec.targetRefs", tokens.Spec.TargetRefs.Count)],
        "AuthorizationPolicy" when Find(inputs.AuthorizationPolicies, about) is { } policy => [("spec.targetRefs", policy.Spec.TargetRefs.Count)],
        "Telemetry" when Find(inputs.Telemetries, about) is { } telemetry => [("spec.targetRefs", telemetry.Spec.TargetRefs.Count)],
        _ => [],
    };

    private static T? Find<T>(IEnumerable<T> all, ObjectRef about) where T : class, IObject => all.FirstOrDefault(value => (value.Metadata.Namespace ?? "") == about.Namespace && value.Metadata.Name == about.Name);
}
