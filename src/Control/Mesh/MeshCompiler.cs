using System.Collections.Frozen;
using System.Collections.Immutable;
using Weft.Control.Mesh.Backends;
using Weft.Control.Mesh.Clusters;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.FrontDoor;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Mesh.Routes;
using Weft.Control.Mesh.Security;
using Weft.Proxy.Config;

namespace Weft.Control.Mesh;

/// <summary>
/// From the objects of the cluster and of Istio to the units that proxies are told, and to a list of all that is wrong. Pure: the same inputs, in whatever order, give the
/// same units to the byte. Each unit is made by a job that remembers what it asked; with the snapshot before at hand, only jobs are done again whose answers are others.
/// </summary>
public static class MeshCompiler
{
    /// <param name="before">An earlier snapshot, whose parts are taken over where nothing of theirs has changed; null: everything is compiled.</param>
    public static MeshSnapshot Compile(MeshInputs inputs, MeshSnapshot? before = null)
    {
        var index = new MeshIndex(inputs);
        var known = before is not null && before.Settings == inputs.Settings ? before.Results : FrozenDictionary<string, JobResult>.Empty;
        var results = new Dictionary<string, JobResult>();
        var compiled = 0;
        foreach (var job in Jobs(index))
        {
            if (!known.TryGetValue(job.Name, out var result) || !result.StandsFor(job, index))
            {
                result = Run(job, index);
                compiled++;
            }

            results.Add(job.Name, result);
        }

        return new()
        {
            Units = [.. results.Values.SelectMany(result => result.Units).OrderBy(unit => unit.Key.Kind).ThenBy(unit => unit.Key.Name, StringComparer.Ordinal)],
            Diagnostics =
            [
                .. results.Values.SelectMany(result => result.Diagnostics).Distinct().OrderBy(problem => problem.Object.Kind, StringComparer.Ordinal)
                    .ThenBy(problem => problem.Object.Namespace, StringComparer.Ordinal).ThenBy(problem => problem.Object.Name, StringComparer.Ordinal)
                    .ThenBy(problem => problem.Field, StringComparer.Ordinal).ThenBy(problem => problem.Message, StringComparer.Ordinal),
            ],
            Compiled = compiled,
            Settings = inputs.Settings,
            Results = results.ToFrozenDictionary(),
        };
    }

    private static IEnumerable<Job> Jobs(MeshIndex index) =>
    [
        .. RouteJobs.Of(index),
        .. ClusterJobs.Of(index),
        .. BackendJobs.Of(index),
        .. SecurityJobs.Of(index),
        .. FrontDoorJobs.Of(index),
    ];

    private static JobResult Run(Job job, MeshIndex index)
    {
        var lookups = new MeshLookups(index);
        var problems = new List<MeshDiagnostic>();
        ImmutableArray<ConfigUnit> units = [.. job.Compile(lookups, problems)];
        return new(job.Subject, lookups.Reads, units, [.. problems.Distinct()]);
    }
}
