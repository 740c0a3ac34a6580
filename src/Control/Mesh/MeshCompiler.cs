using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Weft.Api.Istio;
using Weft.Control.Mesh.Addresses;
using Weft.Control.Mesh.Backends;
using Weft.Control.Mesh.Clusters;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.FrontDoor;
using Weft.Control.Mesh.FrontDoor.Policies;
using Weft.Control.Mesh.Ingresses;
using Weft.Control.Mesh.Inputs;
using Weft.Control.Mesh.Jobs;
using Weft.Control.Mesh.Routes;
using Weft.Control.Mesh.Security;
using Weft.Control.Mesh.Telemetries;
using Weft.Proxy.Config;

namespace Weft.Control.Mesh;

/// <summary>
/// From the objects of the cluster and of Istio to the units that proxies are told, and to a list of all that is wrong. Pure: the same inputs, in whatever order, give the
/// same units to the byte, but for two things that what was before decides: a job that fails by a mistake of the compiler's own keeps its earlier units, and an address that two claim is
/// theirs who held it (<see cref="HostAddresses"/>). Each unit is made by a job that remembers what it asked;
/// with the snapshot before at hand, only jobs are done again whose answers are others.
/// </summary>
public static class MeshCompiler
{
    /// <param name="before">An earlier snapshot, whose parts are taken over where nothing of theirs has changed; null: everything is compiled.</param>
    public static MeshSnapshot Compile(MeshInputs inputs, MeshSnapshot? before = null) => Compile(inputs, before, before?.Index?.HostAddresses ?? HostAddresses.None, []);

    /// <param name="given">What hosts had been given.</param>
    /// <param name="leftOut">As of <see cref="HostAddresses.Plan"/>.</param>
    internal static MeshSnapshot Compile(MeshInputs inputs, MeshSnapshot? before, HostAddresses given, IReadOnlyList<ServiceEntry> leftOut)
    {
        if (before?.Index is not { } old || old.Inputs.Settings != inputs.Settings)
            before = null;
        var index = new MeshIndex(inputs, before?.Index, given, leftOut);
        var changed = before is null ? ~0 : Enum.GetValues<Question>().Where(question => index.MayDiffer(question, before.Index!)).Aggregate(0, (bits, question) => bits | (1 << (int)question));
        var run = new JobRun(index, changed, (job, known) => Run(job, index, known));
        var (groups, doors) = Groups(index, before, run);
        var changes = UnitList.ChangesOf(run.Changes);
        return new()
        {
            Units = UnitList.With(before?.Units ?? [], changes),
            Diagnostics = before is not null && !Effects.MayDiffer(before.Diagnostics) && run.Changes.TrueForAll(pair => (pair.Old?.Diagnostics ?? []).SequenceEqual(pair.New?.Diagnostics ?? [])) ? before.Diagnostics : Sorted(groups, inputs),
            Compiled = run.Compiled,
            Index = index,
            Groups = groups,
            Doors = doors,
            Changes = changes,
            Before = before?.Self,
        };
    }

    private static (ImmutableDictionary<string, JobGroup> Groups, ImmutableDictionary<int, DoorHosts> Doors) Groups(MeshIndex index, MeshSnapshot? before, JobRun run)
    {
        var groups = ImmutableDictionary.CreateBuilder<string, JobGroup>();
        var doors = ImmutableDictionary.CreateBuilder<int, DoorHosts>();
        var inputs = index.Inputs;
        Each("virtual services", before?.Index!.VirtualServices, index.VirtualServices, RouteJobs.Of);
        Each("ingresses", before?.Index!.Ingresses, index.Ingresses, IngressJobs.Of);
        List(nameof(RouteJobs), [index.Hosts], RouteJobs.Of);
        List(nameof(ClusterJobs), [index.DestinationRules, index.Hosts], ClusterJobs.Of);
        List(nameof(BackendJobs), [index.Slices, Same(inputs.ServiceEntries), index.Hosts], BackendJobs.Of);
        List(nameof(NodeJobs), [Same(inputs.Nodes)], NodeJobs.Of);
        List(nameof(SecurityJobs), [index.Workloads, index.PeerAuthentications, Same(inputs.WorkloadEntries), Same(inputs.AuthorizationPolicies), Same(inputs.RequestAuthentications), Same(inputs.Sidecars)], SecurityJobs.Of);
        List(nameof(TelemetryJobs), [Same(inputs.Telemetries)], TelemetryJobs.Of);
        List(nameof(DoorPolicies), [index.DoorPolicies], DoorPolicies.Of);
        List("stray ingresses", [index.StrayIngresses], IngressJobs.Strays);
        List("clusters of ingresses", null, IngressJobs.Clusters);
        List(nameof(FrontDoorJobs), null, FrontDoorJobs.Of);
        foreach (var number in DoorPort.Numbers(index))
        {
            if (FrontDoorJobs.Hosts(number, index, before?.Doors.GetValueOrDefault(number)) is not { } hosts)
                continue;
            var name = $"hosts of {number}";
            groups[name] = Known(name).Next(hosts.Gone, hosts.Come, run);
            doors[number] = hosts.Now;
        }

        foreach (var (_, gone) in before?.Groups.Where(pair => !groups.ContainsKey(pair.Key)) ?? [])
        {
            foreach (var done in gone.Done.Values)
                run.Forget(done);
        }

        return (groups.ToImmutable(), doors.ToImmutable());

        // What the list of jobs is made of, and what lists them: more than the parts that are named it must not look at.
        void List(string name, ImmutableArray<object>? madeOf, Func<MeshIndex, IEnumerable<Job>> list) => groups[name] = Known(name).Next(madeOf, () => list(index), run);

        // A job for each object, which is made of nothing else.
        void Each<T>(string name, IReadOnlyList<T>? old, IReadOnlyList<T> now, Func<T, Job> job) where T : class
        {
            var change = ListChange<T>.Of(old ?? [], now);
            groups[name] = Known(name).Next(change.Gone.Select(value => job(value).Name), [.. change.Come.Select(job)], run);
        }

        JobGroup Known(string name) => before?.Groups.GetValueOrDefault(name) ?? JobGroup.Empty;

        static object Same<T>(ImmutableArray<T> array) => ImmutableCollectionsMarshal.AsArray(array)!;
    }

    private static ImmutableArray<MeshDiagnostic> Sorted(ImmutableDictionary<string, JobGroup> groups, MeshInputs inputs) =>
    [
        .. Effects.Judged(groups.Values.SelectMany(group => group.Done.Values).SelectMany(done => done.Result.Diagnostics).Distinct(), inputs).OrderBy(problem => problem.Object.Kind, StringComparer.Ordinal)
            .ThenBy(problem => problem.Object.Namespace, StringComparer.Ordinal).ThenBy(problem => problem.Object.Name, StringComparer.Ordinal)
            .ThenBy(problem => problem.Field, StringComparer.Ordinal).ThenBy(problem => problem.Message, StringComparer.Ordinal),
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
