using System.Collections.Immutable;
using Weft.Control.Mesh.Backends;
using Weft.Control.Mesh.Clusters;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.FrontDoor;
using Weft.Control.Mesh.FrontDoor.Policies;
using Weft.Control.Mesh.Ingresses;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Mesh.Routes;
using Weft.Control.Mesh.Security;
using Weft.Control.Mesh.Telemetries;
using Weft.Proxy.Config;

namespace Weft.Control.Mesh;

/// <summary>
/// From the objects of the cluster and of Istio to the units that proxies are told, and to a list of all that is wrong. Pure: the same inputs, in whatever order, give the
/// same units to the byte, but for a job that fails by a mistake of the compiler's own, whose earlier units stay. Each unit is made by a job that remembers what it asked;
/// with the snapshot before at hand, only jobs are done again whose answers are others.
/// </summary>
public static class MeshCompiler
{
    /// <param name="before">An earlier snapshot, whose parts are taken over where nothing of theirs has changed; null: everything is compiled.</param>
    public static MeshSnapshot Compile(MeshInputs inputs, MeshSnapshot? before = null)
    {
        if (before?.Index is not { } old || old.Inputs.Settings != inputs.Settings)
            before = null;
        var index = new MeshIndex(inputs, before?.Index);
        var changed = before is null ? ~0 : Enum.GetValues<Question>().Where(question => index.MayDiffer(question, before.Index!)).Aggregate(0, (bits, question) => bits | (1 << (int)question));
        var results = new Dictionary<string, JobResult>(before?.Results.Count ?? 0);
        var compiled = new List<(JobResult? Old, JobResult New)>();
        foreach (var job in Jobs(index))
        {
            var known = before?.Results.GetValueOrDefault(job.Name);
            if (known is null || !known.StandsFor(job, index, changed))
            {
                compiled.Add((known, Run(job, index, known)));
                known = compiled[^1].New;
            }

            results.Add(job.Name, known);
        }

        // The same jobs as before with the same keys: only their contents are put in their places.
        var isInPlace = before is not null && results.Count == before.Results.Count
            && compiled.TrueForAll(pair => pair.Old is not null && pair.Old.Units.Select(unit => unit.Key).SequenceEqual(pair.New.Units.Select(unit => unit.Key)));
        return new()
        {
            Units = isInPlace ? Replace(before!.Units, compiled.SelectMany(pair => pair.New.Units)) : [.. results.Values.SelectMany(result => result.Units).Order(ByKey)],
            Diagnostics =
            [
                .. Effects.Judged(results.Values.SelectMany(result => result.Diagnostics).Distinct(), inputs).OrderBy(problem => problem.Object.Kind, StringComparer.Ordinal)
                    .ThenBy(problem => problem.Object.Namespace, StringComparer.Ordinal).ThenBy(problem => problem.Object.Name, StringComparer.Ordinal)
                    .ThenBy(problem => problem.Field, StringComparer.Ordinal).ThenBy(problem => problem.Message, StringComparer.Ordinal),
            ],
            Compiled = compiled.Count,
            Index = index,
            Results = results,
        };
    }

    private static readonly Comparer<ConfigUnit> ByKey = Comparer<ConfigUnit>.Create((one, other) =>
        one.Key.Kind != other.Key.Kind ? one.Key.Kind.CompareTo(other.Key.Kind) : string.CompareOrdinal(one.Key.Name, other.Key.Name));

    private static ImmutableArray<ConfigUnit> Replace(ImmutableArray<ConfigUnit> units, IEnumerable<ConfigUnit> changed)
    {
        var next = units.ToBuilder();
        foreach (var unit in changed)
            next[units.BinarySearch(unit, ByKey)] = unit;
        return next.ToImmutable();
    }

    private static IEnumerable<Job> Jobs(MeshIndex index) =>
    [
        .. RouteJobs.Of(index),
        .. ClusterJobs.Of(index),
        .. BackendJobs.Of(index),
        .. NodeJobs.Of(index),
        .. SecurityJobs.Of(index),
        .. TelemetryJobs.Of(index),
        .. FrontDoorJobs.Of(index),
        .. IngressJobs.Of(index),
        .. DoorPolicies.Of(index),
    ];

    private static JobResult Run(Job job, MeshIndex index, JobResult? before)
    {
        var lookups = new MeshLookups(index);
        var problems = new List<MeshDiagnostic>();
        ImmutableArray<ConfigUnit> units;
        try
        {
            units = [.. job.Compile(lookups, problems)];
        }
        catch (Exception failed)
        {
            // One tenant's object that was not thought of may not keep everybody's configuration from changing. Its text may be in the exception's, which is therefore not told.
            units = job.Closed is { } closed ? [.. closed()] : before?.Units ?? [];
            var effect = job.Closed is null ? "what stood before stays" : "what it is for is refused";
            problems.AddRange(job.Objects(index).Select(about => new MeshDiagnostic(about, "spec", Severity.Error, $"cannot be compiled ({failed.GetType().Name}, a mistake of the compiler's own), and {effect}")));
        }

        return new(job.Subject, lookups.Reads, units, [.. problems.Distinct()]);
    }
}
