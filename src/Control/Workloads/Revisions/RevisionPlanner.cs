using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Control.Runtime;

namespace Weft.Control.Workloads;

/// <summary>The revision that a workload's template is, and whether it has to be written.</summary>
/// <param name="Update">As it is, or as it is to be created or numbered.</param>
/// <param name="Write">None, or what is to be done with it.</param>
public sealed record RevisionPlan(ControllerRevision Update, RevisionWrite Write);

public enum RevisionWrite { None, Create, Renumber }

/// <summary>
/// The history of a stateful or daemon set: one ControllerRevision for each template it had, with a number that grows. kubectl's history and undo read
/// them, and send their data back as a strategic merge patch.
/// </summary>
public static class RevisionPlanner
{
    /// <summary>On pods and revisions: which template they are of.</summary>
    public const string HashLabel = "controller-revision-hash";

    public static RevisionPlan Plan<T>(T owner, PodTemplateSpec template, IReadOnlyList<ControllerRevision> revisions, int? collisions) where T : IObject
    {
        var data = DataOf(template);
        var sorted = Sorted(revisions);
        var newest = sorted.LastOrDefault();
        var same = sorted.LastOrDefault(revision => JsonNode.DeepEquals(revision.Data, data));
        if (same is not null)
        {
            return same == newest
                ? new RevisionPlan(same, RevisionWrite.None)
                : new RevisionPlan(same with { Revision = newest!.Revision + 1 }, RevisionWrite.Renumber);
        }

        var hash = TemplateHash.Of(template, collisions);
        return new RevisionPlan(new ControllerRevision
        {
            Metadata = new ObjectMeta
            {
                Name = $"{owner.Metadata.Name}-{hash}",
                Namespace = owner.Metadata.Namespace,
                Labels = new Dictionary<string, string>(template.Metadata.Labels) { [HashLabel] = hash },
                Annotations = owner.Metadata.Annotations.Where(one => one.Key != "kubectl.kubernetes.io/last-applied-configuration").ToDictionary(),
                OwnerReferences = [owner.AsController()],
            },
            Data = data,
            Revision = (newest?.Revision ?? 0) + 1,
        }, RevisionWrite.Create);
    }

    /// <summary>Old revisions beyond the limit that nothing uses, the oldest first.</summary>
    public static ImmutableArray<ControllerRevision> Superfluous(IReadOnlyList<ControllerRevision> revisions, Func<ControllerRevision, bool> isUsed, int? limit)
    {
        var old = Sorted(revisions).Where(revision => !isUsed(revision)).ToList();
        return [.. old.Take(Math.Max(0, old.Count - (limit ?? 10)))];
    }

    public static JsonObject DataOf(PodTemplateSpec template)
    {
        var tree = ApiJson.ToTree(template).AsObject();
        tree["$patch"] = "replace";
        return new JsonObject { ["spec"] = new JsonObject { ["template"] = tree } };
    }

    /// <summary>Null when the data is no template.</summary>
    public static PodTemplateSpec? TemplateOf(ControllerRevision revision)
    {
        if (revision.Data?["spec"]?["template"]?.DeepClone() is not JsonObject tree)
            return null;
        tree.Remove("$patch");
        return ApiJson.FromTree<PodTemplateSpec>(tree);
    }

    private static List<ControllerRevision> Sorted(IReadOnlyList<ControllerRevision> revisions) =>
        [.. revisions.OrderBy(revision => revision.Revision).ThenBy(revision => revision.Metadata.CreationTimestamp).ThenBy(revision => revision.Metadata.Name, StringComparer.Ordinal)];
}
