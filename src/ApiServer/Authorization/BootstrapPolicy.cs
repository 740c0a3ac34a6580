using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.Authorization;

/// <summary>
/// Puts the bootstrap roles and bindings into the store before the first request: one commit for all of them. What an administrator removed from
/// a role comes back at the next start, what was added stays, and an object whose autoupdate annotation is "false" is left alone.
/// </summary>
public static class BootstrapPolicy
{
    private const string AutoUpdate = "rbac.authorization.kubernetes.io/autoupdate";
    private const string Prefix = "/registry/" + Rbac.Group + "/";

    /// <returns>Why the roles stay as an earlier start has left them; null when all is well.</returns>
    /// <exception cref="StoreReadOnlyException">The store has no room for them, and there are none yet: nobody would have a right.</exception>
    public static async Task<string?> ReconcileAsync(IStore store, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            var steps = Plan(key => store.Get(key) is { } entry ? (Envelope.Read(entry.Value).Parse(0), entry.ModRevision) : null, time.GetUtcNow());
            if (steps.Count == 0)
                return null;
            var operations = steps.Select(s => Op.Put(s.Key, Envelope.Write(s.Object, "v1", 0), s.Revision == 0 ? Expect.Absent : Expect.At(s.Revision))).ToArray();
            try
            {
                if ((await store.CommitAsync(operations, cancellationToken)).Succeeded)
                    return null;
                // Another server of the same cluster was first: look again.
            }
            catch (StoreReadOnlyException full) when (store.Get(Prefix + Rbac.ClusterRoles + "/cluster-admin") is not null)
            {
                return full.Message;
            }
        }
    }

    /// <summary>What is to be written. <paramref name="stored"/> reads the object at a store key.</summary>
    internal static IReadOnlyList<BootstrapStep> Plan(Func<string, (JsonObject Tree, long Revision)?> stored, DateTimeOffset now)
    {
        var steps = new List<BootstrapStep>();
        var roles = BootstrapRoles.ClusterRoles();
        Aggregate(roles);
        foreach (var role in roles)
            Add(Rbac.ClusterRoles, role, MergeRole);
        foreach (var binding in BootstrapRoles.ClusterRoleBindings())
            Add(Rbac.ClusterRoleBindings, binding, MergeBinding);
        return steps;

        void Add(string resource, JsonObject wanted, Func<JsonObject, JsonObject, JsonObject> merge)
        {
            var key = Prefix + resource + "/" + Metadata.Name(wanted);
            Mark(wanted);
            if (stored(key) is not { } found)
                steps.Add(new BootstrapStep(key, Created(wanted, now), 0));
            else if (Metadata.Text(found.Tree["metadata"]?["annotations"] as JsonObject, AutoUpdate) != "false"
                && merge((JsonObject)found.Tree.DeepClone(), wanted) is var merged && !JsonNode.DeepEquals(merged, found.Tree))
                steps.Add(new BootstrapStep(key, merged, found.Revision));
        }
    }

    // view -> edit -> admin: two rounds settle it, and the first start already has the rules.
    private static void Aggregate(IReadOnlyList<JsonObject> roles)
    {
        while (AggregationPlanner.Plan([.. roles]) is { Count: > 0 } steps)
        {
            foreach (var step in steps)
                step.ClusterRole["rules"] = step.Rules;
        }
    }

    private static void Mark(JsonObject tree)
    {
        tree["metadata"]!["annotations"] = new JsonObject { [AutoUpdate] = "true" };
        tree["metadata"]!["labels"]!["kubernetes.io/bootstrapping"] = "rbac-defaults";
    }

    private static JsonObject Created(JsonObject tree, DateTimeOffset now)
    {
        var metadata = (JsonObject)tree["metadata"]!;
        metadata["uid"] = new Guid(RandomNumberGenerator.GetBytes(16)).ToString();
        metadata["creationTimestamp"] = Metadata.Time(now);
        return tree;
    }

    private static JsonObject MergeRole(JsonObject found, JsonObject wanted)
    {
        MergeMetadata(found, wanted);
        if (wanted["aggregationRule"] is { } aggregation)
        {
            // Its rules are the aggregation's business.
            found["aggregationRule"] = aggregation.DeepClone();
            return found;
        }

        var missing = RuleCoverage.Missing(PolicyRule.ReadAll(found), PolicyRule.ReadAll(wanted));
        if (missing.Count > 0)
        {
            var rules = found["rules"] as JsonArray ?? [];
            found["rules"] = rules = (JsonArray)rules.DeepClone();
            foreach (var rule in wanted["rules"]!.AsArray().Where(w => !rules.Any(r => JsonNode.DeepEquals(r, w))).ToList())
                rules.Add(rule!.DeepClone());
        }

        return found;
    }

    private static JsonObject MergeBinding(JsonObject found, JsonObject wanted)
    {
        MergeMetadata(found, wanted);
        var subjects = found["subjects"] is JsonArray list ? (JsonArray)list.DeepClone() : [];
        foreach (var subject in (wanted["subjects"] as JsonArray ?? []).Where(w => !subjects.Any(s => JsonNode.DeepEquals(s, w))).ToList())
            subjects.Add(subject!.DeepClone());
        if (subjects.Count > 0)
            found["subjects"] = subjects;
        return found;
    }

    private static void MergeMetadata(JsonObject found, JsonObject wanted)
    {
        foreach (var part in new[] { "labels", "annotations" })
        {
            var target = Metadata.Of(found)[part] as JsonObject ?? [];
            if (target.Parent is null)
                Metadata.Of(found)[part] = target;
            foreach (var (key, value) in (JsonObject)wanted["metadata"]![part]!)
            {
                if (!target.ContainsKey(key))
                    target[key] = value!.DeepClone();
            }
        }
    }
}

/// <param name="Revision">0 to create.</param>
internal sealed record BootstrapStep(string Key, JsonObject Object, long Revision);
